using Spectre.Console;
using Spectre.Console.Rendering;

namespace MedMerge.Cli;

/// <summary>Text on one line, which ends with an ellipsis where it has too little room.</summary>
internal sealed class LineText(string text, Style style) : Renderable
{
    /// <summary>What a narrow table leaves of it, in characters.</summary>
    private const int MinWidth = 6;

    private readonly Segment _segment = new(text, style);

    /// <inheritdoc />
    protected override Measurement Measure(RenderOptions options, int maxWidth)
    {
        var width = _segment.CellCount();
        return new Measurement(Math.Min(width, MinWidth), Math.Min(width, maxWidth));
    }

    /// <inheritdoc />
    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth) =>
        _segment.CellCount() <= maxWidth ? [_segment] : Segment.SplitOverflow(_segment, Overflow.Ellipsis, maxWidth);
}
