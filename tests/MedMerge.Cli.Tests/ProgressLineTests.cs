using MedMerge.Grains;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Cli.Tests;

/// <summary>A run's progress on standard error.</summary>
public sealed class ProgressLineTests
{
    [Fact]
    public void Without_a_terminal_there_is_a_line_for_every_stage_and_every_half_minute_of_a_long_one()
    {
        var error = new StringWriter();
        var clock = new FakeTimeProvider();
        var line = new ProgressLine(error, isTerminal: false, clock);
        line.Show(CreateStatus("probe", epoch: null));
        line.Show(CreateStatus("weigh", 1));
        clock.Advance(TimeSpan.FromSeconds(29));
        line.Show(CreateStatus("weigh", 2));
        clock.Advance(TimeSpan.FromSeconds(1));
        line.Show(CreateStatus("weigh", 3));
        line.Show(CreateStatus("weigh", 4));

        Assert.Equal("""
            [25 %] trial 3/3 medmerge, seed 7: probe, 2 min left
            [25 %] trial 3/3 medmerge, seed 7: weigh 1/10, validation F1 81.5, 2 min left
            [25 %] trial 3/3 medmerge, seed 7: weigh 3/10, validation F1 81.5, 2 min left

            """.ReplaceLineEndings(), error.ToString());
    }

    [Fact]
    public void On_a_terminal_one_line_is_overwritten_and_removed_at_the_end()
    {
        var error = new StringWriter();
        var line = new ProgressLine(error, isTerminal: true);
        line.Show(CreateStatus("weigh", 1));
        line.Show(CreateStatus("weigh", 2));
        line.End();

        var shown = error.ToString().Split('\r');
        Assert.Equal("[25 %] trial 3/3 medmerge, seed 7: weigh 2/10, validation F1 81.5, 2 min left", shown[2]);
        Assert.Equal("", shown[3].Trim());
        Assert.DoesNotContain('\n', error.ToString());
    }

    private static SweepStatus CreateStatus(string stage, int? epoch)
    {
        var progress = new StageProgress(stage, epoch, 10, 0.5, epoch is null ? null : 0.815, "node", "key");
        var running = new TrialSummary(3, "medmerge", 7, WorkState.Running, 1, progress, null);
        var counts = new TrialCounts(Waiting: 1, Running: 1, Done: 1);
        return new SweepStatus("id", "name", WorkState.Running, 1, 0.25, 120, counts, [running], null, SweepLimits.None, 0);
    }
}
