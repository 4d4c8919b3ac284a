using MedMerge.Statistics;

namespace MedMerge.Reporting.Report;

/// <summary>What images of each class are taken for: a table whose cells are the darker the larger their share of the class.</summary>
internal static class ConfusionTable
{
    /// <summary>Draws a matrix.</summary>
    /// <param name="names">Of the classes.</param>
    public static Html Draw(string caption, ConfusionMatrix matrix, IReadOnlyList<string> names)
    {
        var classes = matrix.Classes;
        var rows = Enumerable.Range(0, classes).Select(actual =>
        {
            var counts = matrix.Counts.Skip(actual * classes).Take(classes).ToList();
            var total = Math.Max(counts.Sum(), 1);
            var cells = counts.Select(count => DrawCell(count / total));
            return Html.Of($"""<tr><th scope="row">{names[actual]}</th>{Html.Join(cells)}</tr>""");
        });
        return Html.Of($"""
            <div class="wide" tabindex="0" role="region" aria-label="{caption}"><table class="matrix">
            <caption>{caption}</caption>
            <thead><tr><td></td>{Html.Join(names.Select(name => Html.Of($"""<th scope="col">{name}</th>""")))}</tr></thead>
            <tbody>
            {Html.Join(rows)}
            </tbody>
            </table></div>
            """);
    }

    private static Html DrawCell(double share) => Html.Of($"""<td style="--share:{share}">{Percent.Format(share)}</td>""");
}
