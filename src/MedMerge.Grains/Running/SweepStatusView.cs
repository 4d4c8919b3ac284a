using MedMerge.Experiments.Planning;
using MedMerge.Storage;

namespace MedMerge.Grains.Running;

/// <summary>A sweep's status as clients see it, from its record and from what it does at the moment.</summary>
internal static class SweepStatusView
{
    /// <summary>The status now.</summary>
    public static SweepStatus Create(SweepState sweep, SweepActivity activity)
    {
        var version = sweep.Version;
        var record = sweep.Record;
        var plan = activity.Plan;
        var trials = plan?.Trials.Select((trial, i) => Summarise(plan, trial, record.Trials.ElementAtOrDefault(i), record.State, activity));
        return new SweepStatus(
            sweep.Id,
            record.Name,
            record.State,
            version,
            record.State == WorkState.Done ? 1 : activity.CompletedFraction,
            activity.EstimatedRemaining?.TotalSeconds,
            trials?.ToList() ?? [],
            record.Reason);
    }

    private static TrialSummary Summarise(
        PlanSummary plan,
        PlannedTrial trial,
        TrialRecord? record,
        WorkState sweep,
        SweepActivity activity) => new(
        trial.Number,
        trial.Row.Title,
        trial.Seed,
        record is null ? WorkState.Waiting : StateShown(record.State, sweep),
        record?.Attempt ?? 0,
        activity.ProgressOf(trial.Number),
        record?.Reason,
        plan.Scenarios.Count == 1 ? null : plan.GetScenario(trial).Name);

    /// <summary>
    /// A trial that was running when its sweep was paused or cancelled is shown as that; its record keeps that it had
    /// begun.
    /// </summary>
    private static WorkState StateShown(WorkState trial, WorkState sweep) =>
        trial == WorkState.Running && sweep is WorkState.Paused or WorkState.Cancelled ? sweep : trial;
}
