using Spectre.Console;
using Spectre.Console.Rendering;

namespace MedMerge.Cli;

/// <summary>A bar of one line that is filled to a fraction.</summary>
/// <param name="fraction">0 to 1.</param>
/// <param name="width">In characters; null for as wide as there is room.</param>
/// <param name="label">Stands behind it.</param>
internal sealed class ProgressBar(double fraction, int? width = null, string label = "") : Renderable
{
    private static readonly Style Filled = new(Color.Green);
    private static readonly Style Empty = new(Color.Grey);

    /// <inheritdoc />
    protected override Measurement Measure(RenderOptions options, int maxWidth)
    {
        var length = GetLength(maxWidth) + label.Length;
        return new Measurement(length, length);
    }

    /// <inheritdoc />
    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        var length = GetLength(maxWidth);
        var filled = (int)(Math.Clamp(fraction, 0, 1) * length); // full only at the end
        var (full, rest) = options.Unicode ? ('━', '╌') : ('#', '-');
        yield return new Segment(new string(full, filled), Filled);
        yield return new Segment(new string(rest, length - filled), Empty);
        yield return new Segment(label);
    }

    private int GetLength(int maxWidth) => Math.Clamp(width ?? maxWidth, 0, Math.Max(0, maxWidth - label.Length));
}
