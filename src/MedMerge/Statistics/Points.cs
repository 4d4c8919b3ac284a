using System.Globalization;

namespace MedMerge.Statistics;

/// <summary>Differences of shares as texts show them.</summary>
internal static class Points
{
    /// <summary>In points of per cent, with a sign and one decimal: <c>+1.2</c>, <c>−0.4</c>, <c>0.0</c>.</summary>
    public static string Format(double difference) => (100 * difference).ToString("+0.0;−0.0;0.0", CultureInfo.InvariantCulture);

    /// <summary>The ends of an interval, with a text between them.</summary>
    public static string FormatEnds(Interval difference, string between) =>
        $"{Format(difference.Low)}{between}{Format(difference.High)}";
}
