namespace MedMerge.Grains;

/// <summary>What a user can do to a sweep.</summary>
public enum SweepAction
{
    /// <summary>Stop it until it is resumed.</summary>
    Pause,

    /// <summary>Continue after a pause or a cancel, and try failed trials again.</summary>
    Resume,

    /// <summary>End it; results so far are kept.</summary>
    Cancel,
}

/// <summary>Which action leads from which state of a sweep to which.</summary>
public static class SweepTransitions
{
    /// <summary>The state after an action; null where the action changes nothing.</summary>
    /// <param name="hasFailedTrials">Whether a trial has ended without a result.</param>
    public static WorkState? Next(WorkState state, SweepAction action, bool hasFailedTrials) => (state, action) switch
    {
        (WorkState.Running, SweepAction.Pause) => WorkState.Paused,
        (WorkState.Running or WorkState.Paused, SweepAction.Cancel) => WorkState.Cancelled,
        (WorkState.Paused or WorkState.Cancelled or WorkState.Failed, SweepAction.Resume) => WorkState.Running,
        (WorkState.Done, SweepAction.Resume) when hasFailedTrials => WorkState.Running,
        _ => null,
    };
}
