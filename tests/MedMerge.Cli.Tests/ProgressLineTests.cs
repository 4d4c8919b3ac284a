using MedMerge.Grains;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Cli.Tests;

/// <summary>What standard error shows of a run.</summary>
public sealed class ProgressLineTests
{
    [Fact]
    public void Off_a_terminal_there_is_a_line_for_every_stage_and_every_half_minute_of_a_long_one()
    {
        var (error, clock) = (new StringWriter(), new FakeTimeProvider());
        var line = new ProgressLine(error, isTerminal: false, clock);
        line.Show(At("probe", epoch: null));
        line.Show(At("weigh", 1));
        clock.Advance(TimeSpan.FromSeconds(29));
        line.Show(At("weigh", 2));
        clock.Advance(TimeSpan.FromSeconds(1));
        line.Show(At("weigh", 3));
        line.Show(At("weigh", 4));

        Assert.Equal("""
            [25 %] trial 3/3 medmerge, seed 7: probe, 2 min left
            [25 %] trial 3/3 medmerge, seed 7: weigh 1/10, validation F1 81.5, 2 min left
            [25 %] trial 3/3 medmerge, seed 7: weigh 3/10, validation F1 81.5, 2 min left

            """.ReplaceLineEndings(), error.ToString());
    }

    [Fact]
    public void On_a_terminal_one_line_is_written_over_and_removed_in_the_end()
    {
        var error = new StringWriter();
        var line = new ProgressLine(error, isTerminal: true);
        line.Show(At("weigh", 1));
        line.Show(At("weigh", 2));
        line.End();

        var shown = error.ToString().Split('\r');
        Assert.Equal("[25 %] trial 3/3 medmerge, seed 7: weigh 2/10, validation F1 81.5, 2 min left", shown[2]);
        Assert.Equal("", shown[3].Trim());
        Assert.DoesNotContain('\n', error.ToString());
    }

    private static SweepStatus At(string stage, int? epoch)
    {
        TrialSummary Trial(int number, WorkState state, StageProgress? progress) => new(number, "medmerge", 7, state, 1, progress, null);
        var progress = new StageProgress(stage, epoch, 10, 0.5, epoch is null ? null : 0.815, "node", "key");
        return new SweepStatus("id", "name", WorkState.Running, 1, 0.25, 120, [Trial(1, WorkState.Done, null), Trial(2, WorkState.Waiting, null), Trial(3, WorkState.Running, progress)], null);
    }
}
