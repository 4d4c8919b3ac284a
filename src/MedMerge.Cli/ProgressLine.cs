using System.Globalization;
using MedMerge.Grains;

namespace MedMerge.Cli;

/// <summary>
/// Shows where a run is, on standard error: on a terminal one line that is written over with every epoch, elsewhere a line a stage and, of a long one, every half
/// minute.
/// </summary>
internal sealed class ProgressLine(TextWriter error, bool isTerminal, TimeProvider? clock = null)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(30);
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly Dictionary<int, (string Stage, long Time)> _shown = [];
    private int _width;

    /// <summary>Progress of a sweep.</summary>
    public void Show(SweepStatus status)
    {
        var share = string.Create(CultureInfo.InvariantCulture, $"{100 * status.CompletedFraction:0} %");
        var left = status.EstimatedSecondsRemaining is { } seconds ? $", {Duration(TimeSpan.FromSeconds(seconds))} left" : "";
        var running = status.Trials.Where(trial => trial.Progress is not null).ToList();
        if (!isTerminal)
        {
            foreach (var trial in running.Where(IsDue)) error.WriteLine($"[{share}] {Text(trial, status)}{left}");
            return;
        }
        if (running.Count == 0) return;
        var others = running.Count > 1 ? $" (and {running.Count - 1} more)" : "";
        Write($"[{share}] {Text(running[0], status)}{others}{left}");
    }

    /// <summary>A stage with its epoch and the score there, as far as it has them.</summary>
    public static string Text(StageProgress progress) => progress is { Epoch: { } epoch, MacroF1: { } score }
        ? string.Create(CultureInfo.InvariantCulture, $"{progress.Stage} {epoch}/{progress.Epochs}, validation F1 {100 * score:0.0}")
        : progress.Stage;

    /// <summary>Progress of a single training.</summary>
    public void Show(string what, Training.EpochRecord record, int epochs)
    {
        var loss = double.IsNaN(record.Loss) ? "" : string.Create(CultureInfo.InvariantCulture, $", loss {record.Loss:0.000}");
        var line = string.Create(CultureInfo.InvariantCulture, $"{what}: epoch {record.Epoch}/{epochs}{loss}, validation F1 {100 * record.Validation.MacroF1:0.0}");
        if (isTerminal) Write(line);
        else error.WriteLine(line);
    }

    /// <summary>Why a trial has no result.</summary>
    public static string Failed(TrialSummary trial) => $"failed: trial {trial.Number} ({trial.Method}, seed {trial.Seed}) after {trial.Attempt} attempts: {trial.Reason}";

    /// <summary>Leaves the line, so that what follows starts on a new one.</summary>
    public void End()
    {
        if (!isTerminal || _width == 0) return;
        error.Write("\r" + new string(' ', _width) + "\r");
        _width = 0;
    }

    private static string Text(TrialSummary trial, SweepStatus status) => $"trial {trial.Number}/{status.Trials.Count} {trial.Method}, seed {trial.Seed}: {Text(trial.Progress!)}";

    private bool IsDue(TrialSummary trial)
    {
        var stage = trial.Progress!.Stage;
        if (_shown.TryGetValue(trial.Number, out var last) && last.Stage == stage && _clock.GetElapsedTime(last.Time) < Period) return false;
        _shown[trial.Number] = (stage, _clock.GetTimestamp());
        return true;
    }

    private void Write(string line)
    {
        error.Write("\r" + line.PadRight(_width));
        _width = line.Length;
    }

    private static string Duration(TimeSpan time) => time.TotalMinutes >= 90
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.0} h")
        : time.TotalSeconds >= 90 ? $"{time.TotalMinutes:0} min" : $"{time.TotalSeconds:0} s";
}
