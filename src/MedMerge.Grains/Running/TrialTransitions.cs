using MedMerge.Experiments.Stages;
using MedMerge.Grains.Work;
using MedMerge.Storage;

namespace MedMerge.Grains.Running;

/// <summary>What the end of an attempt means for its trial.</summary>
internal static class TrialTransitions
{
    /// <summary>
    /// The trial after an attempt has ended. The answer of an attempt that is over, or of a trial that was stopped meanwhile, changes
    /// nothing: answers may be late or come twice.
    /// </summary>
    /// <param name="failure">Why it failed; null where it has a result, or has come to its rung.</param>
    /// <param name="reached">What it has scored at its rung; null where it has run to its end.</param>
    public static TrialRecord AfterAttempt(this TrialRecord trial, int attempt, Failure? failure, RungScore? reached)
    {
        if (trial.State != WorkState.Running || trial.Attempt != attempt) return trial;
        if (failure is null) return reached is null ? trial.Done() : trial.Reached(reached.Score);
        if (failure.Kind == FailureKind.NodeBad && trial.NodeDeaths >= RetryPolicy.MaxNodeDeaths)
            return trial.Quarantined(failure.Description);
        return RetryPolicy.DelayAfter(failure, trial.Failures + 1) is null
            ? trial.Failed(failure.Kind, failure.Description)
            : trial.StartedAgain(failure.Description);
    }
}
