using System.Globalization;
using MedMerge.Experiments;

namespace MedMerge.Cli;

/// <summary>
/// Shows where a run is, on standard error: on a terminal one line that is written over with every epoch, elsewhere a line a stage.
/// </summary>
internal sealed class ProgressLine(TextWriter error, bool isTerminal)
{
    private int _width;

    /// <summary>Progress of a run.</summary>
    public void Show(RunProgress progress)
    {
        var trial = $"trial {progress.Trial.Number}/{progress.Trials} {progress.Trial.Method.Title}, seed {progress.Trial.Seed}";
        var left = progress.Left is { } time ? $", {Duration(time)} left" : "";
        var share = string.Create(CultureInfo.InvariantCulture, $"{100 * progress.WorkDone:0} %");
        if (!isTerminal)
        {
            if (progress.Epoch is null) error.WriteLine($"[{share}] {trial}: {progress.Stage.Name}{left}");
            return;
        }
        var epoch = progress.Epoch is { } record
            ? string.Create(CultureInfo.InvariantCulture, $" {record.Epoch}/{progress.Epochs}, validation F1 {100 * record.Validation.MacroF1:0.0}")
            : "";
        Write($"[{share}] {trial}: {progress.Stage.Name}{epoch}{left}");
    }

    /// <summary>Progress of a single training.</summary>
    public void Show(string what, Training.EpochRecord record, int epochs)
    {
        var line = string.Create(CultureInfo.InvariantCulture,
            $"{what}: epoch {record.Epoch}/{epochs}, loss {record.Loss:0.000}, validation F1 {100 * record.Validation.MacroF1:0.0}");
        if (isTerminal) Write(line);
        else error.WriteLine(line);
    }

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
