namespace MedMerge.Reporting.Report;

/// <summary>A line of <see cref="LineChart"/>.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Values">From the left, one a step; those that are no numbers are left out.</param>
internal sealed record ChartLine(string Name, IReadOnlyList<double> Values)
{
    /// <summary>How far single values lie around each of <see cref="Values"/>, drawn as a band; empty for none.</summary>
    public IReadOnlyList<double> Spreads { get; init; } = [];

    /// <summary>The step that has a dot; null for none.</summary>
    public int? Marked { get; init; }
}

/// <summary>The place of a chart.</summary>
/// <param name="Class">Of the SVG: its size on the page.</param>
/// <param name="Range">Values that the vertical axis holds, whatever the lines do.</param>
/// <param name="First">The number of the first step.</param>
internal sealed record ChartFrame(string Class, double Width, double Height, IReadOnlyList<double> Range, int First);

/// <summary>Lines over whole steps, such as epochs or layers, with a legend. Lines differ by colour and by dashes.</summary>
internal static class LineChart
{
    private const int Kinds = 4;
    private const double Left = 46, Right = 10, Bottom = 26, LetterWidth = 8, Stroke = 22, Gap = 18, LegendRow = 18, LegendMargin = 10;

    /// <summary>Draws it.</summary>
    /// <param name="description">What it shows, for readers who don't see it.</param>
    public static Html Draw(string description, IReadOnlyList<ChartLine> lines, ChartFrame frame)
    {
        var steps = lines.Max(line => line.Values.Count);
        var across = Axis.OfSteps(frame.First, frame.First + Math.Max(steps - 1, 1), Left, frame.Width - Right);
        var legend = PlaceLegend(lines, frame.Width);
        var top = legend[^1].Y + LegendMargin;
        var up = new Axis(lines.SelectMany(GetReach).Concat(frame.Range), frame.Height - Bottom, top);
        return Html.Of($"""
            <svg class="{frame.Class}" viewBox="0 0 {frame.Width} {frame.Height}" role="img" aria-label="{description}">
            {up.DrawUp(Left, frame.Width - Right)}
            {across.DrawAcross(frame.Height - Bottom, frame.Height - Bottom)}
            {Html.Join(lines.Index().Select(line => DrawLine(line.Item, line.Index, across, up, frame.First)))}
            {Html.Join(lines.Zip(legend).Index().Select(entry => DrawEntry(entry.Item.First.Name, entry.Item.Second, entry.Index)))}
            </svg>
            """);
    }

    private static IEnumerable<double> GetReach(ChartLine line) => line.Spreads.Count == 0
        ? line.Values
        : line.Values.Zip(line.Spreads).SelectMany(value => new[] { value.First - value.Second, value.First + value.Second });

    private static Html DrawLine(ChartLine line, int kind, Axis across, Axis up, int first)
    {
        var known = line.Values.Index().Where(value => double.IsFinite(value.Item)).ToList();
        if (known.Count == 0) return Html.None;
        var places = known.Select(value => Place(value.Index, value.Item));
        var band = line.Spreads.Count == 0 ? Html.None : DrawBand(
            known.Select(value => Place(value.Index, value.Item + line.Spreads[value.Index])),
            known.Select(value => Place(value.Index, value.Item - line.Spreads[value.Index])));
        var dot = line.Marked is { } marked && double.IsFinite(line.Values[marked])
            ? Html.Of($"""<circle class="mark" cx="{across.Place(first + marked)}" cy="{up.Place(line.Values[marked])}" r="4"/>""")
            : Html.None;
        return Html.Of($"""
            <g class="line kind-{kind % Kinds}">
            {band}
            <polyline points="{Html.Points(places)}"/>
            {dot}
            </g>
            """);

        (double X, double Y) Place(int step, double value) => (across.Place(first + step), up.Place(value));
    }

    private static Html DrawBand(IEnumerable<(double X, double Y)> high, IEnumerable<(double X, double Y)> low) =>
        Html.Of($"""<polygon points="{Html.Points(high.Concat(low.Reverse()))}"/>""");

    /// <summary>One entry behind the other, and below where the row is full.</summary>
    private static List<(double X, double Y)> PlaceLegend(IReadOnlyList<ChartLine> lines, double width)
    {
        var places = new List<(double X, double Y)>();
        var (x, y) = (Left, LegendRow);
        foreach (var line in lines)
        {
            var length = Stroke + (LetterWidth * line.Name.Length) + Gap;
            if (x > Left && x + length > width) (x, y) = (Left, y + LegendRow);
            places.Add((x, y));
            x += length;
        }
        return places;
    }

    private static Html DrawEntry(string name, (double X, double Y) place, int kind)
    {
        var (x, y) = place;
        return Html.Of($"""
            <g class="line kind-{kind % Kinds}"><polyline points="{Html.Points([(x, y - 5), (x + Stroke, y - 5)])}"/></g>
            <text x="{x + Stroke + 5}" y="{y}">{name}</text>
            """);
    }
}
