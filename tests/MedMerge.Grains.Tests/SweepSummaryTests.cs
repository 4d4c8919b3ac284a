namespace MedMerge.Grains.Tests;

/// <summary>What an app host and a list show of a sweep.</summary>
public sealed class SweepSummaryTests
{
    [Theory]
    [InlineData(WorkState.Running, 40, 12, "12 of 40 trials", "pause cancel")]
    [InlineData(WorkState.Running, 0, 0, "Starting", "pause cancel")]
    [InlineData(WorkState.Paused, 40, 12, "Paused, 12 of 40 trials", "resume cancel")]
    [InlineData(WorkState.Cancelled, 40, 12, "Cancelled, 12 of 40 trials", "resume")]
    [InlineData(WorkState.Done, 40, 40, "Done, 40 of 40 trials", "")]
    [InlineData(WorkState.Done, 40, 39, "Done, 39 of 40 trials, 1 failed", "resume")]
    [InlineData(WorkState.Failed, 0, 0, "Failed", "resume")]
    [InlineData(WorkState.Damaged, 0, 0, "Damaged", "")]
    public void A_sweep_tells_how_far_it_is_and_what_can_be_done(WorkState state, int trials, int done, string text, string verbs)
    {
        var others = trials - done;
        var counts = state == WorkState.Done
            ? new TrialCounts(Waiting: 0, Done: done, FailedPermanent: others)
            : new TrialCounts(Waiting: others, Done: done);
        var line = new SweepSummary("id", "name", state, DateTimeOffset.UnixEpoch, counts, null);
        Assert.Equal(text, line.Text);
        var waiting = line with { Reason = "No node has the device 'cuda' now." };
        Assert.Equal(state == WorkState.Running ? $"Waiting, {text}" : text, waiting.Text);
        Assert.Equal(verbs, string.Join(' ', new[] { "pause", "resume", "cancel" }.Where(line.Allows)));
    }
}
