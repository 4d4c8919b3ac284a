using System.Globalization;
using MedMerge.Statistics;

namespace MedMerge.Reporting.Report;

/// <summary>How often answers are right, by how confident they are; a calibrated model's lie on the diagonal.</summary>
internal static class CalibrationFigure
{
    private const double Side = 240, Margin = 36, End = 16;

    /// <summary>Draws one model's bins.</summary>
    public static Html Draw(string caption, IReadOnlyList<CalibrationBin> bins)
    {
        var across = new Axis([0, 100], Margin, Side - End);
        var up = new Axis([0, 100], Side - Margin, End);
        var answers = bins.Sum(bin => bin.Answers);
        var marks = bins.Select(bin => DrawBin(across, up, bin, answers));
        return Html.Of($"""
            <figure>
            <svg class="square" viewBox="0 0 {Side} {Side}" role="img" aria-label="{caption}">
            {across.DrawAcross(End, Side - Margin)}
            {up.DrawUp(Margin, Side - End)}
            <line class="zero" x1="{across.Place(0)}" y1="{up.Place(0)}" x2="{across.Place(100)}" y2="{up.Place(100)}"/>
            {Html.Join(marks)}
            </svg>
            <figcaption>{caption}</figcaption>
            </figure>
            """);
    }

    private static Html DrawBin(Axis across, Axis up, CalibrationBin bin, int answers)
    {
        var confidence = bin.Confidence / bin.Answers;
        var accuracy = (double)bin.Right / bin.Answers;
        var radius = 2 + (10 * Math.Sqrt((double)bin.Answers / answers));
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{bin.Answers} answers of {100 * confidence:0.0} % confidence, {100 * accuracy:0.0} % right");
        return Html.Of($"""
            <circle class="mean" cx="{across.Place(100 * confidence)}" cy="{up.Place(100 * accuracy)}" r="{radius}">
            <title>{text}</title></circle>
            """);
    }
}
