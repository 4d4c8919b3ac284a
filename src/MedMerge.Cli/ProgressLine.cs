using System.Globalization;
using MedMerge.Grains;

namespace MedMerge.Cli;

/// <summary>
/// Shows where a run is, on standard error: on a terminal one line that is written over with every epoch, elsewhere a line a stage.
/// </summary>
internal sealed class ProgressLine(TextWriter error, bool isTerminal)
{
    private readonly HashSet<(int Trial, string Stage)> _shown = [];
    private int _width;

    /// <summary>Progress of a sweep.</summary>
    public void Show(SweepStatus status)
    {
        var share = string.Create(CultureInfo.InvariantCulture, $"{100 * status.WorkDone:0} %");
        var left = status.SecondsLeft is { } seconds ? $", {Duration(TimeSpan.FromSeconds(seconds))} left" : "";
        var running = status.Trials.Where(trial => trial.Progress is not null).ToList();
        if (!isTerminal)
        {
            foreach (var trial in running.Where(trial => _shown.Add((trial.Number, trial.Progress!.Stage))))
                error.WriteLine($"[{share}] trial {trial.Number}/{status.Trials.Count} {trial.Method}, seed {trial.Seed}: {trial.Progress!.Stage}{left}");
            return;
        }
        if (running.Count == 0) return;
        var first = running[0];
        var epoch = first.Progress is { Epoch: { } number, MacroF1: { } score } progress
            ? string.Create(CultureInfo.InvariantCulture, $" {number}/{progress.Epochs}, validation F1 {100 * score:0.0}")
            : "";
        var others = running.Count > 1 ? $" (and {running.Count - 1} more)" : "";
        Write($"[{share}] trial {first.Number}/{status.Trials.Count} {first.Method}, seed {first.Seed}: {first.Progress!.Stage}{epoch}{others}{left}");
    }

    /// <summary>Progress of a single training.</summary>
    public void Show(string what, Training.EpochRecord record, int epochs)
    {
        var line = string.Create(CultureInfo.InvariantCulture,
            $"{what}: epoch {record.Epoch}/{epochs}, loss {record.Loss:0.000}, validation F1 {100 * record.Validation.MacroF1:0.0}");
        if (isTerminal) Write(line);
        else error.WriteLine(line);
    }

    /// <summary>Why a trial has no result.</summary>
    public static string Failed(TrialLine trial) => $"failed: trial {trial.Number} ({trial.Method}, seed {trial.Seed}) after {trial.Attempt} attempts: {trial.Reason}";

    /// <summary>Leaves the line, so that what follows starts on a new one.</summary>
    public void End()
    {
        if (!isTerminal || _width == 0) return;
        error.Write("\r" + new string(' ', _width) + "\r");
        _width = 0;
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
