using System.Globalization;

namespace MedMerge.Data.Checks;

/// <summary>An image as checks see it.</summary>
/// <param name="Split">The name of its split.</param>
internal sealed record CheckedImage(string Split, int Label, ReadOnlyMemory<byte> Pixels)
{
    /// <summary>Whether it has one value everywhere.</summary>
    public bool IsConstant => Pixels.Span.IndexOfAnyExcept(Pixels.Span[0]) < 0;

    /// <summary>The images of a split.</summary>
    public static IEnumerable<CheckedImage> Of(string name, ImageSplit split) =>
        Enumerable.Range(0, split.Count).Select(i => new CheckedImage(name, split.Labels[i], split.GetImage(i)));

    /// <summary>As notes count them.</summary>
    public static string Count(int count) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} image{(count == 1 ? "" : "s")}");
}
