using MedMerge.Cli.Commands;
using MedMerge.Grains;
using Spectre.Console;

namespace MedMerge.Cli;

/// <summary>
/// Shows a sweep on standard error while it runs: on a terminal a table that is drawn anew on every change, elsewhere the lines of
/// <see cref="ProgressLine"/>.
/// </summary>
/// <param name="line">What is written without a terminal.</param>
/// <param name="terminal">Null for none.</param>
internal sealed class SweepDisplay(TextWriter error, ProgressLine line, IAnsiConsole? terminal)
{
    /// <summary>How many ended trials are shown.</summary>
    private const int MaxEnded = 5;

    private readonly List<TrialSummary> _ended = [];
    private LiveDisplayContext? _live;

    /// <summary>Whether trials that have ended are shown, so that <see cref="Add"/> has a use.</summary>
    public bool ShowsTrials => terminal is not null;

    /// <summary>Creates the display for a command's standard error.</summary>
    /// <param name="hasLog">Whether others write lines there too, which would break a table.</param>
    public static SweepDisplay Create(TextWriter error, bool hasLog = false) =>
        new(error, CommonOptions.CreateProgressLine(error), hasLog ? null : Terminal.Open(error));

    /// <summary>Has the terminal while a sweep is followed, and then clears what was shown.</summary>
    /// <param name="follow">Calls <see cref="Show"/>, <see cref="Add"/> and <see cref="Report"/>.</param>
    public async Task<T> RunAsync<T>(Func<Task<T>> follow)
    {
        try
        {
            if (terminal is null) return await follow();
            return await terminal.Live(Text.Empty).AutoClear(true).StartAsync(context =>
            {
                _live = context;
                return follow();
            });
        }
        finally
        {
            _live = null;
            line.End();
        }
    }

    /// <summary>Shows a status.</summary>
    public void Show(SweepStatus status)
    {
        if (_live is null) line.Show(status);
        else _live.UpdateTarget(SweepPicture.Draw(status, _ended, terminal!.Profile.Height));
    }

    /// <summary>Remembers those of the trials that have ended, the last ones last, for the next status.</summary>
    public void Add(IEnumerable<TrialSummary> changed)
    {
        foreach (var trial in changed)
        {
            _ended.RemoveAll(known => known.Number == trial.Number);
            if (trial.State is WorkState.Waiting or WorkState.Running) continue;
            _ended.Add(trial);
            if (_ended.Count > MaxEnded) _ended.RemoveAt(0);
        }
    }

    /// <summary>Writes a line that stays.</summary>
    public void Report(string text)
    {
        if (_live is not null)
        {
            terminal!.WriteLine(PrintableWriter.Escape(text));
            return;
        }
        line.End();
        error.WriteLine(text);
    }
}
