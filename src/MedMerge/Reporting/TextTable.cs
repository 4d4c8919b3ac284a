using System.Text;

namespace MedMerge.Reporting;

/// <summary>A Markdown table that also reads well in a terminal: the first column to the left, the others to the right.</summary>
public static class TextTable
{
    /// <summary>Renders rows for documents, the first being the heading: cells as wide as their text.</summary>
    public static string RenderMarkdown(IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var lines = rows.Select(row => $"| {string.Join(" | ", row)} |").ToList();
        lines.Insert(1, $"|{string.Concat(rows[0].Select(_ => " --- |"))}");
        return string.Join('\n', lines) + "\n";
    }

    /// <summary>Renders rows, the first being the heading.</summary>
    public static string Render(IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var widths = Enumerable.Range(0, rows[0].Count).Select(column => rows.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        for (var r = 0; r < rows.Count; r++)
        {
            Line(rows[r].Select((cell, c) => c == 0 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c])));
            if (r == 0) Line(widths.Select((width, c) => c == 0 ? new string('-', width) : new string('-', width - 1) + ":"));
        }
        return text.ToString();

        void Line(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }
}
