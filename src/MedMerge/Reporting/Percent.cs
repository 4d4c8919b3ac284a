using System.Globalization;

namespace MedMerge.Reporting;

/// <summary>Shares as tables show them.</summary>
internal static class Percent
{
    /// <summary>In per cent, with one decimal: <c>81.9</c>.</summary>
    public static string Format(double share) => (100 * share).ToString("0.0", CultureInfo.InvariantCulture);
}
