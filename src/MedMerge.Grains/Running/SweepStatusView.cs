using MedMerge.Experiments.Planning;
using MedMerge.Storage;

namespace MedMerge.Grains.Running;

/// <summary>A sweep's status as clients see it, from its record and from what it does at the moment.</summary>
internal static class SweepStatusView
{
    private const double SecondsPerHour = 3600;

    /// <summary>The status now.</summary>
    public static SweepStatus Create(SweepState sweep, SweepActivity activity)
    {
        var version = sweep.Version;
        var record = sweep.Record;
        var running = activity.Plan is { } plan && record.State == WorkState.Running
            ? record.Trials.Running.Take(SweepStatus.MaxRunning).Select(number => Summarise(plan, number, record, activity)).ToList()
            : [];
        return new SweepStatus(
            sweep.Id,
            record.Name,
            record.State,
            version,
            record.State == WorkState.Done ? 1 : activity.CompletedFraction,
            activity.EstimatedRemaining?.TotalSeconds,
            record.Trials.Counts.Of(record.State),
            running,
            record.Reason,
            record.Limits ?? (activity.Plan is { } planned ? SweepRunner.LimitsOf(planned) : SweepLimits.None),
            record.DeviceSeconds / SecondsPerHour,
            record.Submitter,
            record.Steering);
    }

    /// <summary>Some of the trials.</summary>
    public static TrialPage CreatePage(SweepState sweep, SweepActivity activity, PlanSummary plan, TrialQuery query)
    {
        var position = sweep.LastChange;
        var record = sweep.Record;
        var count = Math.Clamp(query.Count, 1, TrialPage.MaxTrials);
        var from = Math.Max(1, query.From);
        var numbers = query.ChangedAfter is { } after
            ? sweep.ChangedAfter(after, count, out position)
            : Enumerable.Range(from, Math.Max(0, record.Trials.Count + 1 - from));
        var found = numbers
            .Select(number => Summarise(plan, number, record, activity))
            .Where(trial => query.State is null || trial.State == query.State)
            .Where(trial => query.Kind is null || trial.Kind == query.Kind)
            .Take(count + 1)
            .ToList();
        return new TrialPage(position, sweep.Activation, [.. found.Take(count)], found.Count > count ? found[count].Number : null);
    }

    private static TrialSummary Summarise(PlanSummary plan, int number, SweepRecord sweep, SweepActivity activity)
    {
        var trial = plan.Trials[number - 1];
        var record = sweep.Trials.Get(number);
        return new TrialSummary(
            number,
            trial.Row.Title,
            trial.Seed,
            StateShown(record.State, sweep.State),
            record.Attempt,
            activity.ProgressOf(number),
            record.Reason,
            plan.Scenarios.Count == 1 ? null : plan.GetScenario(trial).Name,
            record.Kind);
    }

    /// <summary>
    /// A trial that had not ended when its sweep was cancelled is shown as that, and one that was running when it was paused as paused;
    /// its record keeps that it had begun.
    /// </summary>
    private static WorkState StateShown(WorkState trial, WorkState sweep) => (trial, sweep) switch
    {
        (WorkState.Running, WorkState.Paused) => WorkState.Paused,
        (WorkState.Running or WorkState.Waiting, WorkState.Cancelled) => WorkState.Cancelled,
        _ => trial,
    };
}
