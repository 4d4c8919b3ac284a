using System.Globalization;
using MedMerge.Merging;

namespace MedMerge.Reporting.Report;

/// <summary>Kernel weights by layer and source: a heat map of their means, and how far those of a layer spread.</summary>
internal static class KernelWeightFigure
{
    private const double LetterWidth = 7, SmallLetterWidth = 6.8, RowHeight = 26, PlotWidth = 560, MinCell = 15, MinCellWithText = 26;
    private const double Darkest = 0.65; // so that the numbers can be read
    private const double Slope = 0.87; // of layer names, which stand at 60°

    /// <summary>Draws a cell for each layer and source, the stronger its colour the larger the mean.</summary>
    /// <param name="caption">What it shows, in a sentence or two.</param>
    public static Html DrawMap(string caption, KernelWeightSummary weights)
    {
        var left = 16 + (LetterWidth * weights.Sources.Max(source => source.Length));
        var cell = Math.Max(PlotWidth / weights.Layers.Count, MinCell);
        var bottom = weights.Sources.Count * RowHeight;
        var height = bottom + 16 + (Slope * SmallLetterWidth * weights.Layers.Max(layer => layer.Layer.Length));
        var names = weights.Sources.Select((source, row) =>
            Html.Of($"""<text x="{left - 8}" y="{((row + 0.5) * RowHeight) + 4}" text-anchor="end">{source}</text>"""));
        var columns = weights.Layers.Select((layer, column) => DrawLayer(weights.Sources, layer, left + (column * cell), cell, bottom));
        return WideFigure.Draw(caption, Html.Of($"""
            <svg class="map" viewBox="0 0 {left + (weights.Layers.Count * cell) + 8} {height}" role="img" aria-label="{Describe(weights)}">
            {Html.Join(names)}
            {Html.Join(columns)}
            </svg>
            """));
    }

    /// <summary>Draws the means along the network in per cent, each within a band of a standard deviation.</summary>
    /// <param name="caption">What it shows, in a sentence or two.</param>
    public static Html DrawSpread(string caption, KernelWeightSummary weights)
    {
        var lines = weights.Sources.Select((source, i) => new ChartLine(
            source,
            [.. weights.Layers.Select(layer => 100 * layer.Sources[i].Mean)])
        {
            Spreads = [.. weights.Layers.Select(layer => 100 * layer.Sources[i].Deviation)],
        });
        var frame = new ChartFrame("chart", Width: 720, Height: 230, [0, 100], First: 1);
        return WideFigure.Draw(caption, LineChart.Draw(Describe(weights), [.. lines], frame));
    }

    private static Html DrawLayer(IReadOnlyList<string> sources, LayerWeights layer, double x, double width, double bottom)
    {
        var cells = sources.Select((source, row) => DrawCell(source, layer, layer.Sources[row], x, row * RowHeight, width));
        var middle = x + (width / 2);
        return Html.Of($"""
            {Html.Join(cells)}
            <text class="layer" transform="translate({middle + 3} {bottom + 10}) rotate(-60)">{layer.Layer}</text>
            """);
    }

    private static Html DrawCell(string source, LayerWeights layer, WeightSpread weight, double x, double y, double width)
    {
        var text = width < MinCellWithText
            ? Html.None
            : Html.Of($"""<text class="share" x="{x + (width / 2)}" y="{y + (RowHeight / 2) + 4}">{Round(weight.Mean)}</text>""");
        return Html.Of($"""
            <g><title>{layer.Layer}, {source}: {Percent.Format(weight.Mean)} ± {Percent.Format(weight.Deviation)}</title>
            <rect x="{x}" y="{y}" width="{width}" height="{RowHeight}" fill-opacity="{Darkest * Math.Clamp(weight.Mean, 0, 1)}"/>{text}</g>
            """);
    }

    private static string Round(double share) => (100 * share).ToString("0;−0;0", CultureInfo.InvariantCulture);

    /// <summary>The mean over layers for each source.</summary>
    private static string Describe(KernelWeightSummary weights)
    {
        var means = weights.Sources.Select((source, i) =>
            $"{source} {Percent.Format(weights.Layers.Average(layer => layer.Sources[i].Mean))}");
        return $"Kernel weights of {weights.Layers.Count} layers in per cent, means over layers: {string.Join(", ", means)}";
    }
}
