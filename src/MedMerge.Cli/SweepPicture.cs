using System.Globalization;
using MedMerge.Grains;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace MedMerge.Cli;

/// <summary>
/// Sweeps as a terminal shows them. Names in them are others': texts are made printable, and none is read as Spectre's markup.
/// </summary>
internal static class SweepPicture
{
    private const Justify Left = Justify.Left;
    private const Justify Right = Justify.Right;
    private const int BarWidth = 10;

    /// <summary>Lines of a picture that are not a trial: heading, bar, counts, reason, the table's head, spaces.</summary>
    private const int FixedLines = 10;

    private static readonly Style Head = new(decoration: Decoration.Bold);
    private static readonly Style Faint = new(Color.Grey);
    private static readonly Style Good = new(Color.Green);
    private static readonly Style Bad = new(Color.Red);
    private static readonly Style Busy = new(Color.Aqua);
    private static readonly Style Held = new(Color.Yellow);

    /// <summary>A sweep that runs: how far it is, the trials that run and where, and the last ones that have ended.</summary>
    /// <param name="ended">The last one last.</param>
    /// <param name="height">The terminal's height in lines: as many trials are shown as it has room for.</param>
    public static IRenderable Draw(SweepStatus status, IReadOnlyCollection<TrialSummary> ended, int height)
    {
        var room = Math.Max(1, height - FixedLines - ended.Count);
        var table = CreateTable(("trial", Right), ("method", Left), ("seed", Right), ("stage", Left), ("progress", Left), ("F1", Right));
        var nodes = status.Running.Select(trial => trial.Progress?.Node).OfType<string>().Distinct();
        if (nodes.Count() > 1) AddColumn(table, "node", Left);
        foreach (var trial in status.Running.Take(room)) table.AddRow(DrawRunning(trial).Take(table.Columns.Count));
        foreach (var trial in ended.Reverse()) table.AddRow(DrawEnded(trial));
        var parts = DrawTotals(status).ToList();
        if (status.Reason is not null) parts.Add(WriteLine(status.Reason, Held));
        if (table.Rows.Count > 0) parts.AddRange([Text.Empty, table]);
        var hidden = status.Counts.Running - Math.Min(room, status.Running.Count);
        if (hidden > 0) parts.Add(Write($"and {hidden} more run", Faint));
        return new Rows(parts);
    }

    /// <summary>All sweeps.</summary>
    public static IRenderable Draw(IEnumerable<SweepSummary> sweeps)
    {
        var table = CreateTable(("id", Left), ("name", Left), ("state", Left), ("trials done", Left), ("submitted", Left));
        foreach (var sweep in sweeps)
        {
            var counts = sweep.Counts;
            table.AddRow(
                Write(sweep.Id),
                Write(sweep.Name),
                Write(sweep.State),
                new ProgressBar(counts.Total == 0 ? 0 : (double)counts.Done / counts.Total, BarWidth, $" {counts.Done}/{counts.Total}"),
                Write(Format($"{sweep.Submitted:yyyy-MM-dd HH:mm}"), Faint));
        }
        return table;
    }

    /// <summary>A sweep with trials of it.</summary>
    public static IRenderable Draw(SweepStatus status, IEnumerable<TrialSummary> trials)
    {
        var table = CreateTable(("trial", Right), ("method", Left), ("seed", Right), ("state", Left), ("attempt", Right), ("stage", Left));
        foreach (var trial in trials)
        {
            table.AddRow(
                Write($"{trial.Number}"),
                Write(trial.Title),
                Write($"{trial.Seed}"),
                Write(trial.State),
                Write($"{trial.Attempt}"),
                Write(trial.Progress is { } progress ? ProgressLine.Describe(progress) : GetFirstLine(trial.Reason)));
        }
        IEnumerable<IRenderable> reason = status.Reason is null ? [] : [Write(status.Reason, Held)];
        return new Rows([.. DrawTotals(status), .. reason, Text.Empty, table]);
    }

    private static Paragraph DrawHead(SweepStatus status)
    {
        var remaining = status is { HasEnded: false, EstimatedSecondsRemaining: { } seconds }
            ? $", {ProgressLine.FormatDuration(TimeSpan.FromSeconds(seconds))} left"
            : "";
        return new Paragraph()
            .Append(PrintableWriter.Escape(status.Name), Head)
            .Append(PrintableWriter.Escape($" ({status.Id}): "))
            .Append($"{status.State}", GetStyle(status.State))
            .Append(Format($", {100 * status.CompletedFraction:0} %{remaining}"));
    }

    private static IEnumerable<IRenderable> DrawTotals(SweepStatus status) =>
        [DrawHead(status), new ProgressBar(status.CompletedFraction), Write(TrialCountsText.Describe(status.Counts))];

    private static IEnumerable<IRenderable> DrawRunning(TrialSummary trial)
    {
        var progress = trial.Progress;
        yield return Write($"{trial.Number}");
        yield return WriteLine(trial.Title);
        yield return Write($"{trial.Seed}");
        yield return WriteLine(progress?.Stage ?? $"{trial.State}", Busy);
        yield return progress is { Epochs: > 0 } ? DrawEpochs(progress.Epoch ?? 0, progress.Epochs) : Text.Empty;
        yield return Write(progress?.MacroF1 is { } score ? Format($"{100 * score:0.0}") : "");
        yield return WriteLine(progress?.Node.Split('@')[0] ?? "", Faint); // without the number of its start
    }

    private static ProgressBar DrawEpochs(int epoch, int epochs) =>
        new((double)epoch / epochs, BarWidth, Format($" {epoch}/{epochs}"));

    private static IEnumerable<IRenderable> DrawEnded(TrialSummary trial)
    {
        var reason = trial.Reason is null ? "" : $": {GetFirstLine(trial.Reason)}";
        yield return Write($"{trial.Number}", Faint);
        yield return WriteLine(trial.Title, Faint);
        yield return Write($"{trial.Seed}", Faint);
        yield return WriteLine($"{trial.State}{reason}", GetStyle(trial.State));
    }

    private static Table CreateTable(params IEnumerable<(string Title, Justify Side)> columns)
    {
        var table = new Table().Border(TableBorder.None);
        foreach (var (title, side) in columns) AddColumn(table, title, side);
        return table;
    }

    private static void AddColumn(Table table, string title, Justify side)
    {
        IRenderable head = side == Left ? WriteLine(title, Head) : Write(title, Head);
        table.AddColumn(new TableColumn(head) { Alignment = side, Padding = new Padding(0, 0, 2, 0) });
    }

    private static Text Write(WorkState state) => Write($"{state}", GetStyle(state));

    private static Text Write(string text, Style? style = null) => new(PrintableWriter.Escape(text), style);

    private static LineText WriteLine(string text, Style? style = null) => new(PrintableWriter.Escape(text), style ?? Style.Plain);

    private static Style GetStyle(WorkState state) => state switch
    {
        WorkState.Done => Good,
        WorkState.Running => Busy,
        WorkState.Paused => Held,
        WorkState.Failed or WorkState.Quarantined or WorkState.Damaged => Bad,
        _ => Faint,
    };

    private static string GetFirstLine(string? text) => text?.Split('\n')[0] ?? "";

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
