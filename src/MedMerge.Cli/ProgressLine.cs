using System.Globalization;
using MedMerge.Grains;
using MedMerge.Reporting;

namespace MedMerge.Cli;

/// <summary>
/// Shows progress on standard error: on a terminal one line that every epoch overwrites, elsewhere one line for each
/// stage, and every half minute of a long one.
/// </summary>
internal sealed class ProgressLine(TextWriter error, bool isTerminal, TimeProvider? clock = null)
{
    private static readonly TimeSpan RepeatInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan OverwriteInterval = TimeSpan.FromSeconds(0.2);
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly Dictionary<int, (string Stage, long Time)> _shown = [];
    private int _width;
    private long? _transferTime;

    /// <summary>Shows the progress of a sweep.</summary>
    public void Show(SweepStatus status)
    {
        var share = Format($"{100 * status.CompletedFraction:0} %");
        var remaining = status.EstimatedSecondsRemaining is { } seconds
            ? $", {FormatDuration(TimeSpan.FromSeconds(seconds))} left"
            : "";
        var running = status.Running.Where(trial => trial.Progress is not null).ToList();
        if (!isTerminal)
        {
            foreach (var trial in running.Where(IsDue)) error.WriteLine($"[{share}] {Describe(trial, status)}{remaining}");
            return;
        }
        if (running.Count == 0) return;
        var others = status.Counts.Running > 1 ? $" (and {status.Counts.Running - 1} more)" : "";
        Overwrite($"[{share}] {Describe(running[0], status)}{others}{remaining}");
    }

    /// <summary>Shows the progress of a single training.</summary>
    public void Show(string stage, Training.EpochRecord record, int epochs)
    {
        var loss = double.IsNaN(record.Loss) ? "" : Format($", loss {record.Loss:0.000}");
        var score = Format($"validation F1 {100 * record.Validation.MacroF1:0.0}");
        var line = Format($"{stage}: epoch {record.Epoch}/{epochs}{loss}, {score}");
        if (isTerminal)
        {
            Overwrite(line);
        }
        else
        {
            error.WriteLine(line);
        }
    }

    /// <summary>Shows how much of a file there is; may be called for every block.</summary>
    /// <param name="total">Its length in bytes; null where it is not known.</param>
    public void ShowTransfer(string file, long bytes, long? total)
    {
        var interval = isTerminal ? OverwriteInterval : RepeatInterval;
        _transferTime ??= _clock.GetTimestamp(); // of a transfer that takes less nothing is shown
        if (_clock.GetElapsedTime(_transferTime.Value) < interval) return;
        _transferTime = _clock.GetTimestamp();
        var share = total is > 0 ? Format($" of {ByteSize.Format(total.Value)}, {100.0 * bytes / total.Value:0} %") : "";
        var line = $"{file}: {ByteSize.Format(bytes)}{share}";
        if (isTerminal) Overwrite(line);
        else error.WriteLine(line);
    }

    /// <summary>Clears the line, so that other output starts at its beginning.</summary>
    public void End()
    {
        if (!isTerminal || _width == 0) return;
        error.Write("\r" + new string(' ', _width) + "\r");
        _width = 0;
    }

    /// <summary>Describes a stage, with its epoch and validation score where it has them.</summary>
    public static string Describe(StageProgress progress) => progress is { Epoch: { } epoch, MacroF1: { } score }
        ? Format($"{progress.Stage} {epoch}/{progress.Epochs}, validation F1 {100 * score:0.0}")
        : progress.Stage;

    /// <summary>Describes why a trial has no result.</summary>
    public static string DescribeFailure(TrialSummary trial) =>
        $"failed: trial {trial.Number} ({trial.Title}, seed {trial.Seed}) after {trial.Attempt} " +
        $"{(trial.Attempt == 1 ? "attempt" : "attempts")}: {trial.Reason}";

    private static string Describe(TrialSummary trial, SweepStatus status) =>
        $"trial {trial.Number}/{status.Counts.Total} {trial.Title}, seed {trial.Seed}: {Describe(trial.Progress!)}";

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>A time in seconds, minutes or hours.</summary>
    public static string FormatDuration(TimeSpan time)
    {
        if (time.TotalMinutes >= 90) return Format($"{time.TotalHours:0.0} h");
        if (time.TotalSeconds >= 90) return Format($"{time.TotalMinutes:0} min");
        return Format($"{time.TotalSeconds:0} s");
    }

    /// <summary>Whether a trial's progress is to be written again, because its stage changed or the last line is old.</summary>
    private bool IsDue(TrialSummary trial)
    {
        var stage = trial.Progress!.Stage;
        var isRecent = _shown.TryGetValue(trial.Number, out var last)
            && last.Stage == stage
            && _clock.GetElapsedTime(last.Time) < RepeatInterval;
        if (isRecent) return false;
        _shown[trial.Number] = (stage, _clock.GetTimestamp());
        return true;
    }

    private void Overwrite(string line)
    {
        error.Write("\r" + line.PadRight(_width));
        _width = line.Length;
    }
}
