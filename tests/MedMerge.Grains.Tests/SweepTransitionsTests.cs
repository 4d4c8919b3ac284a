namespace MedMerge.Grains.Tests;

public sealed class SweepTransitionsTests
{
    [Theory]
    [InlineData(WorkState.Running, SweepAction.Pause, false, WorkState.Paused)]
    [InlineData(WorkState.Running, SweepAction.Cancel, false, WorkState.Cancelled)]
    [InlineData(WorkState.Paused, SweepAction.Resume, false, WorkState.Running)]
    [InlineData(WorkState.Paused, SweepAction.Cancel, false, WorkState.Cancelled)]
    [InlineData(WorkState.Cancelled, SweepAction.Resume, false, WorkState.Running)]
    [InlineData(WorkState.Failed, SweepAction.Resume, false, WorkState.Running)]
    [InlineData(WorkState.Done, SweepAction.Resume, true, WorkState.Running)]
    public void An_action_leads_to_the_next_state(WorkState state, SweepAction action, bool hasFailedTrials, WorkState next) =>
        Assert.Equal(next, SweepTransitions.Next(state, action, hasFailedTrials));

    [Fact]
    public void Every_other_action_changes_nothing()
    {
        var moves = from state in Enum.GetValues<WorkState>()
                    from action in Enum.GetValues<SweepAction>()
                    from hasFailedTrials in new[] { false, true }
                    where SweepTransitions.Next(state, action, hasFailedTrials) is not null
                    select (state, action, hasFailedTrials);
        Assert.Equal(13, moves.Count()); // the seven above; all but the last whether or not trials have failed
        Assert.Null(SweepTransitions.Next(WorkState.Done, SweepAction.Resume, hasFailedTrials: false));
    }
}
