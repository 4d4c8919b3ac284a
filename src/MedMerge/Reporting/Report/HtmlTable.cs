namespace MedMerge.Reporting.Report;

/// <summary>Tables of a page.</summary>
internal static class HtmlTable
{
    /// <summary>A table whose first column names the rows, and whose other cells are figures.</summary>
    /// <param name="caption">What it shows.</param>
    /// <param name="rows">The heading, then the body.</param>
    public static Html Draw(string caption, IReadOnlyList<IReadOnlyList<string>> rows) => Html.Of($"""
        <div class="wide" tabindex="0" role="region" aria-label="{caption}"><table>
        <caption>{caption}</caption>
        <thead><tr>{Html.Join(rows[0].Select(cell => Html.Of($"""<th scope="col">{cell}</th>""")))}</tr></thead>
        <tbody>
        {Html.Join(rows.Skip(1).Select(DrawRow))}
        </tbody>
        </table></div>
        """);

    private static Html DrawRow(IReadOnlyList<string> row) => Html.Of(
        $"""<tr><th scope="row">{row[0]}</th>{Html.Join(row.Skip(1).Select(cell => Html.Of($"<td>{cell}</td>")))}</tr>""");
}
