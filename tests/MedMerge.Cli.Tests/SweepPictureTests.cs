using MedMerge.Grains;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace MedMerge.Cli.Tests;

/// <summary>Sweeps as a terminal shows them.</summary>
public sealed class SweepPictureTests
{
    private const int Height = 24;
    private static readonly StageProgress Weigh = new("weigh kernels", 3, 10, 0.5, 0.815, "10.0.0.1:11111@7", "key");

    private static readonly SweepStatus Status = new(
        "tiny-1",
        "tiny",
        WorkState.Running,
        Version: 1,
        CompletedFraction: 0.25,
        EstimatedSecondsRemaining: 120,
        new TrialCounts(37, Running: 2, Done: 1, FailedPermanent: 1),
        [CreateTrial(3, Weigh), CreateTrial(4, Weigh with { Epoch = null, MacroF1 = null, Stage = "fine-tune" })],
        null,
        SweepLimits.None,
        DeviceHours: 0);

    private static readonly IReadOnlyList<TrialSummary> Ended =
    [
        CreateTrial(1) with { State = WorkState.Done },
        CreateTrial(2) with { State = WorkState.Failed, Reason = "no memory\nat a place" },
    ];

    [Fact]
    public void A_running_sweep_shows_how_far_it_is_what_runs_and_what_ended_last()
    {
        Assert.Equal("""
            tiny (tiny-1): Running, 25 %, 2 min left
            ━━━━━━━━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
            1 of 41 trials has a result, 2 running, 37 waiting, 1 failed
            (permanent)

            trial  method    seed  stage              progress           F1
                3  medmerge     7  weigh kernels      ━━━╌╌╌╌╌╌╌ 3/10  81.5
                4  medmerge     7  fine-tune          ╌╌╌╌╌╌╌╌╌╌ 0/10
                2  medmerge     7  Failed: no memory
                1  medmerge     7  Done

            """, Draw(SweepPicture.Draw(Status, Ended, Height), width: 70));
    }

    [Fact]
    public void Nodes_are_named_where_there_are_several()
    {
        var other = CreateTrial(4, Weigh with { Node = "10.0.0.2:11111@9" });
        var text = Draw(SweepPicture.Draw(Status with { Running = [Status.Running[0], other] }, Ended, Height), width: 120);
        Assert.Contains("10.0.0.1:11111\n", text, StringComparison.Ordinal);
        Assert.Contains("10.0.0.2:11111\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(80)]
    [InlineData(40)]
    public void Of_ten_thousand_trials_no_more_are_shown_than_have_room(int width)
    {
        var running = Enumerable.Range(1, SweepStatus.MaxRunning).Select(number => CreateTrial(number, Weigh)).ToList();
        var status = Status with { Running = running, Counts = new TrialCounts(9900, Running: 100), Reason = "Waiting for a node." };
        var lines = Draw(SweepPicture.Draw(status, Ended, Height), width).TrimEnd().Split('\n');
        Assert.InRange(lines.Length, Height / 2, Height);
        Assert.All(lines, line => Assert.InRange(line.Length, 0, width));
        Assert.Matches("^and [0-9]{2} more run$", lines[^1]);
    }

    [Fact]
    public void Names_are_neither_markup_nor_sequences_of_the_terminal()
    {
        const string name = "[red]x[/]\u001b[2J\n\u009b1m";
        const string shown = @"[red]x[/]\u001B[2J\u000A\u009B1m";
        var trial = CreateTrial(3, Weigh with { Stage = name }) with { Scenario = name, State = WorkState.Failed, Reason = name };
        var status = Status with { Name = name, Id = name, Reason = name, Running = [trial] };
        var summary = new SweepSummary(name, name, WorkState.Done, DateTimeOffset.UnixEpoch, Status.Counts, null);
        foreach (var picture in (IRenderable[])
        [
            SweepPicture.Draw(status, [trial], Height),
            SweepPicture.Draw(status, [trial]),
            SweepPicture.Draw([summary]),
        ])
        {
            var text = Draw(picture, width: 300);
            Assert.Contains(shown, text, StringComparison.Ordinal);
            Assert.DoesNotContain(text, character => char.IsControl(character) && character != '\n');
        }
    }

    [Fact]
    public void Colours_are_left_out_where_the_terminal_has_none()
    {
        var picture = SweepPicture.Draw(Status, Ended, Height);
        Assert.Contains("\u001b[", Draw(picture, width: 80, ColorSystemSupport.Standard), StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b[3", Draw(picture, width: 80), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_or_a_pipe_is_no_terminal() => Assert.Null(Terminal.Open(new StringWriter()));

    private static TrialSummary CreateTrial(int number, StageProgress? progress = null) =>
        new(number, "medmerge", Seed: 7, WorkState.Running, Attempt: 1, progress, Reason: null);

    /// <summary>What a terminal of that width shows, without the spaces at the ends of lines.</summary>
    private static string Draw(IRenderable picture, int width, ColorSystemSupport colours = ColorSystemSupport.NoColors)
    {
        var text = new StringWriter { NewLine = "\n" };
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = colours == ColorSystemSupport.NoColors ? AnsiSupport.No : AnsiSupport.Yes,
            ColorSystem = colours,
            Out = new AnsiConsoleOutput(text),
        });
        terminal.Profile.Width = width;
        terminal.Profile.Capabilities.Unicode = true;
        terminal.Write(picture);
        return string.Join('\n', text.ToString().Split('\n').Select(line => line.TrimEnd()));
    }
}
