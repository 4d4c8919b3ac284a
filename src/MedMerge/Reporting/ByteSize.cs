using System.Globalization;

namespace MedMerge.Reporting;

/// <summary>Numbers of bytes as tables and messages show them.</summary>
internal static class ByteSize
{
    /// <summary>In the largest decimal unit of which there is one: <c>559.6 kB</c>.</summary>
    public static string Format(long bytes)
    {
        string[] units = ["B", "kB", "MB", "GB", "TB", "PB"];
        double size = bytes;
        var unit = 0;
        for (; size >= 1000 && unit < units.Length - 1; unit++) size /= 1000;
        return string.Create(CultureInfo.InvariantCulture, $"{size:0.#} {units[unit]}");
    }
}
