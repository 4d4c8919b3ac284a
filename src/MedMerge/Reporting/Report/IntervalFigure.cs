using MedMerge.Experiments.Methods;
using MedMerge.Statistics;

namespace MedMerge.Reporting.Report;

/// <summary>A row of <see cref="IntervalFigure"/>.</summary>
/// <param name="Title">As the table has it.</param>
/// <param name="Text">The value as the table has it.</param>
/// <param name="Interval">0 … 1, or −1 … 1; bounds may be missing.</param>
/// <param name="Points">Single values behind it, such as each seed's.</param>
internal sealed record IntervalRow(string Title, string Text, MethodRole Role, Interval Interval, IReadOnlyList<double> Points);

/// <summary>Rows of estimates with their 95 % intervals on one axis, in per cent.</summary>
internal static class IntervalFigure
{
    private const double LetterWidth = 8, PlotWidth = 390, TextWidth = 220, Top = 8, RowHeight = 26;

    /// <summary>Draws it.</summary>
    /// <param name="caption">What it shows, in a sentence.</param>
    /// <param name="hasZero">Whether zero is on the axis, with a line.</param>
    public static Html Draw(string caption, IReadOnlyList<IntervalRow> rows, bool hasZero)
    {
        var values = rows.SelectMany(row => row.Points.Concat([row.Interval.Estimate, row.Interval.Low, row.Interval.High]));
        var left = 24 + (LetterWidth * rows.Select(row => row.Title.Length).DefaultIfEmpty().Max());
        var right = left + PlotWidth;
        var axis = new Axis([.. values.Select(value => 100 * value), .. hasZero ? [0.0] : Array.Empty<double>()], left, right);
        var bottom = Top + (rows.Count * RowHeight);
        var zero = hasZero
            ? Html.Of($"""<line class="zero" x1="{axis.Place(0)}" x2="{axis.Place(0)}" y1="{Top}" y2="{bottom}"/>""")
            : Html.None;
        return WideFigure.Draw(caption, Html.Of($"""
            <svg viewBox="0 0 {right + TextWidth} {bottom + 28}" role="img" aria-label="{caption}">
            {axis.DrawAcross(Top, bottom)}
            {zero}
            {Html.Join(rows.Index().Select(row => DrawRow(axis, row.Item, left, right, Top + ((row.Index + 0.5) * RowHeight))))}
            </svg>
            """));
    }

    private static Html DrawRow(Axis axis, IntervalRow row, double left, double right, double y)
    {
        var interval = row.Interval;
        var bar = double.IsNaN(interval.Low)
            ? Html.None
            : Html.Of($"""<line class="bar" x1="{X(interval.Low)}" x2="{X(interval.High)}" y1="{y}" y2="{y}"/>""");
        var points = row.Points
            .Where(double.IsFinite)
            .Select(point => Html.Of($"""<circle class="seed" cx="{X(point)}" cy="{y}" r="2.5"/>"""));
        var estimate = double.IsNaN(interval.Estimate)
            ? Html.None
            : Html.Of($"""<circle class="mean" cx="{X(interval.Estimate)}" cy="{y}" r="4.5"/>""");
        return Html.Of($"""
            <g class="{ResultFiles.Name(row.Role)}">
            <title>{row.Title}: {row.Text}</title>
            <text x="{left - 12}" y="{y + 4}" text-anchor="end">{row.Title}</text>
            {bar}
            {Html.Join(points)}
            {estimate}
            <text x="{right + 14}" y="{y + 4}">{row.Text}</text>
            </g>
            """);

        double X(double value) => axis.Place(100 * value);
    }
}
