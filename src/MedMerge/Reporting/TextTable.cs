using System.Text;

namespace MedMerge.Reporting;

/// <summary>
/// A Markdown table that also reads well in a terminal: the first column is left-aligned, the others right-aligned.
/// </summary>
internal static class TextTable
{
    /// <summary>Renders rows for documents, with cells as wide as their text.</summary>
    /// <param name="rows">The heading, then the body.</param>
    public static string RenderMarkdown(IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var lines = rows.Select(row => $"| {string.Join(" | ", row)} |").ToList();
        lines.Insert(1, $"|{string.Concat(rows[0].Select(_ => " --- |"))}");
        return string.Join('\n', lines) + "\n";
    }

    /// <summary>Renders rows with aligned columns.</summary>
    /// <param name="rows">The heading, then the body.</param>
    public static string Render(IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var columns = Enumerable.Range(0, rows[0].Count);
        var widths = columns.Select(column => rows.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        AppendLine(rows[0].Select(Align));
        AppendLine(widths.Select(CreateRule));
        foreach (var row in rows.Skip(1)) AppendLine(row.Select(Align));
        return text.ToString();

        void AppendLine(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

        string Align(string cell, int column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]);

        static string CreateRule(int width, int column) =>
            column == 0 ? new string('-', width) : new string('-', width - 1) + ":";
    }
}
