using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Grains;

namespace MedMerge.Storage;

/// <summary>What the states of a sweep's trials mean for its results, the same on a cluster and in a local run.</summary>
internal static class MissingStates
{
    /// <summary>Finds the trials that ended without a result, by number.</summary>
    public static Dictionary<int, MissingState> Find(IEnumerable<PlannedTrial> trials, Func<int, WorkState> getState) => trials
        .Select(trial => (trial.Number, State: Of(getState(trial.Number))))
        .Where(trial => trial.State != MissingState.NotFinished)
        .ToDictionary(trial => trial.Number, trial => trial.State);

    private static MissingState Of(WorkState state) => state switch
    {
        WorkState.Failed or WorkState.Quarantined => MissingState.Failed,
        WorkState.StoppedEarly => MissingState.StoppedEarly,
        WorkState.Cancelled => MissingState.Cancelled,
        _ => MissingState.NotFinished,
    };
}
