using MedMerge.Statistics;

namespace MedMerge.Reporting.Report;

/// <summary>How the kernel weights of each layer moved while they were learned: a heat map for each source.</summary>
internal static class KernelWeightPathFigure
{
    private const double PlotWidth = 560, MinCell = 15, MinCellWithText = 26, RowHeight = 20, Left = 76;
    private const double Darkest = 0.65; // so that the numbers can be read
    private const int MaxRows = 16;

    /// <summary>Draws a source's change from the start: a row for each epoch, a column for each layer.</summary>
    /// <param name="caption">What it shows, in a sentence or two.</param>
    /// <param name="layers">Their names.</param>
    /// <param name="source">Its position.</param>
    /// <param name="means">The mean of α by epoch, from 0, layer and source.</param>
    public static Html Draw(string caption, IReadOnlyList<string> layers, int source, IReadOnlyList<double[][]> means)
    {
        var largest = means.Max(epoch => layers.Index().Max(layer => Math.Abs(Change(epoch, layer.Index))));
        var cell = Math.Max(PlotWidth / layers.Count, MinCell);
        var epochs = ChooseEpochs(means.Count - 1);
        var size = Html.Of($"0 0 {Left + (layers.Count * cell) + 8} {epochs.Count * RowHeight}");
        var rows = epochs.Index().Select(row => Html.Of($"""
            <text x="{Left - 8}" y="{((row.Index + 0.5) * RowHeight) + 4}" text-anchor="end">epoch {row.Item}</text>
            {Html.Join(layers.Index().Select(layer => DrawCell(row.Item, layer, row.Index * RowHeight)))}
            """));
        return WideFigure.Draw(caption, Html.Of($"""
            <svg class="map" viewBox="{size}" role="img" aria-label="{Describe()}">
            {Html.Join(rows)}
            </svg>
            """));

        double Change(double[][] epoch, int layer) => epoch[layer][source] - means[0][layer][source];

        Html DrawCell(int epoch, (int Index, string Name) layer, double y)
        {
            var change = Change(means[epoch], layer.Index);
            var x = Left + (layer.Index * cell);
            var points = Points.Format(change);
            var text = cell < MinCellWithText
                ? Html.None
                : Html.Of($"""<text class="share" x="{x + (cell / 2)}" y="{y + (RowHeight / 2) + 4}">{points}</text>""");
            var opacity = largest == 0 ? 0 : Darkest * Math.Abs(change) / largest;
            var kind = change < 0 ? "less" : "more";
            return Html.Of($"""
                <g><title>{layer.Name}, epoch {epoch}: {points}</title>
                <rect class="{kind}" x="{x}" y="{y}" width="{cell}" height="{RowHeight}" fill-opacity="{opacity}"/>{text}</g>
                """);
        }

        string Describe()
        {
            var changes = layers.Select((name, layer) => (Name: name, Change: Change(means[^1], layer))).ToList();
            var (least, most) = (changes.MinBy(layer => layer.Change), changes.MaxBy(layer => layer.Change));
            return $"Change of the kernel weights by epoch {means.Count - 1} in points: " +
                   $"from {Points.Format(least.Change)} ({least.Name}) to {Points.Format(most.Change)} ({most.Name})";
        }
    }

    /// <summary>The epochs that have a row: all, or some at equal distances with the last.</summary>
    /// <param name="last">Its number.</param>
    private static List<int> ChooseEpochs(int last)
    {
        var step = ((last - 1) / MaxRows) + 1;
        return [.. Enumerable.Range(1, last).Where(epoch => (last - epoch) % step == 0)];
    }
}
