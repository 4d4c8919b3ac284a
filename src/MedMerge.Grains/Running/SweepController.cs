using MedMerge.Experiments.Planning;
using MedMerge.Storage;

namespace MedMerge.Grains.Running;

/// <summary>
/// One sweep on the node that owns it: pauses, resumes, cancels and repairs it, and answers for its status.
/// </summary>
internal sealed class SweepController(
    SweepState sweep,
    SweepActivity activity,
    SweepRunner runner,
    SweepOwnership ownership,
    SweepStore sweeps,
    StageStore stages)
{
    private static readonly TimeSpan StatusTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Who follows a sweep is told of it so often at most.</summary>
    private static readonly TimeSpan StatusInterval = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Whether another process has changed the record: the sweep has stopped here and must be loaded again.
    /// </summary>
    public bool IsStale => sweep.IsStale;

    /// <summary>
    /// Whether the record, as it is in the store, is the one that this node has. What runs here writes it, and notices
    /// by itself where another has.
    /// </summary>
    public async Task<bool> IsCurrentAsync()
    {
        if (sweep.IsStale) return false;
        if (runner.IsRunning) return true;
        return await sweeps.FindETagAsync(sweep.Id, CancellationToken.None).ConfigureAwait(false) == sweep.ETag;
    }

    /// <summary>
    /// Starts the sweep's loop if it should be running and isn't, unless another cluster runs the sweep.
    /// </summary>
    public async Task EnsureRunningAsync()
    {
        if (runner.IsRunning || sweep.Record.State != WorkState.Running || !ownership.MayRun(sweep.Record, sweep.ETag)) return;
        await ownership.TakeAsync(sweep).ConfigureAwait(false);
        runner.EnsureRunning();
    }

    /// <summary>Stops the loop alone: another has changed the record.</summary>
    public Task AbandonAsync() => runner.LeaveAsync();

    /// <summary>Stops the loop, and lets another node or cluster continue.</summary>
    public async Task LeaveAsync()
    {
        await runner.LeaveAsync().ConfigureAwait(false);
        await ownership.ReleaseAsync(sweep).ConfigureAwait(false);
    }

    /// <summary>
    /// Pauses, resumes or cancels the sweep, where that changes anything; resuming tries failed trials again.
    /// </summary>
    /// <param name="by">Who does; null where nobody is known.</param>
    public async Task ChangeAsync(SweepAction action, SteeringAction? by = null)
    {
        var hasFailedTrials = sweep.Record.Trials.Any(SweepRecord.IsResumed);
        if (SweepTransitions.Next(sweep.Record.State, action, hasFailedTrials) is not { } next) return;
        if (next == WorkState.Running)
        {
            await runner.StopAsync().ConfigureAwait(false); // one that has ended may be about to remove its mark
            await sweeps.MarkAsync(sweep.Id, CancellationToken.None).ConfigureAwait(false);
            await WriteAsync(by, record => record.ChangedTo(next)).ConfigureAwait(false);
            return;
        }
        await WriteAsync(by, record => record.ChangedTo(next)).ConfigureAwait(false);
        await runner.StopAsync().ConfigureAwait(false);
        await sweeps.UnmarkAsync(sweep.Id, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Tries trials again that have ended without a result. What runs is not disturbed.</summary>
    /// <exception cref="ArgumentException">There is no trial of such a number.</exception>
    /// <inheritdoc cref="ChangeAsync" path="/param[@name='by']" />
    public async Task RetryAsync(TrialChoice choice, SteeringAction? by = null)
    {
        await CheckNumbersAsync(choice.Numbers).ConfigureAwait(false);
        var trials = sweep.Record.Trials;
        var chosen = choice.Numbers.Count > 0 ? choice.Numbers : [.. trials.NumbersWhere(trial => trial.HasFailed)];
        int[] numbers = [.. chosen.Where(number => choice.Kind is null || trials.Get(number).Kind == choice.Kind)];
        if (numbers.Length > 0) await RestartAsync(record => record.Steered(by, its => its.Retried(numbers))).ConfigureAwait(false);
    }

    /// <summary>Stops a trial, or does not begin it.</summary>
    /// <exception cref="ArgumentException">There is no trial of that number.</exception>
    /// <inheritdoc cref="ChangeAsync" path="/param[@name='by']" />
    public async Task SkipAsync(int number, SteeringAction? by = null)
    {
        await CheckNumbersAsync([number]).ConfigureAwait(false);
        await WriteAsync(by, record => record.WithoutTrials([number], TrialRecord.SkippedByUser)).ConfigureAwait(false);
        await runner.StopTrialAsync(number).ConfigureAwait(false);
    }

    /// <summary>Changes how much of the sweep may run.</summary>
    /// <inheritdoc cref="ChangeAsync" path="/param[@name='by']" />
    public Task LimitAsync(SweepLimits limits, SteeringAction? by = null) => WriteAsync(by, record => record with { Limits = limits });

    /// <summary>Takes a larger specification, and runs what is new in it.</summary>
    /// <exception cref="ArgumentException">It lacks trials of the one before.</exception>
    /// <inheritdoc cref="ChangeAsync" path="/param[@name='by']" />
    public async Task ExtendAsync(StartSweep extended, IReadOnlyList<string> inputs, SteeringAction? by = null)
    {
        if (sweep.Record.Specification == extended.Specification) return;
        var before = await runner.LoadPlanAsync(CancellationToken.None).ConfigureAwait(false);
        var wider = sweep.Record with { Specification = extended.Specification, Plan = extended.Plan };
        var plan = await runner.ReadPlanAsync(wider, CancellationToken.None).ConfigureAwait(false);
        SweepExtension.Check(before, plan);
        await runner.StopAsync().ConfigureAwait(false); // the same numbers are other trials from here on
        await sweeps.MarkAsync(sweep.Id, CancellationToken.None).ConfigureAwait(false);
        await WriteAsync(by, record => SweepExtension.Apply(record, before, plan) with
        {
            Specification = extended.Specification,
            Plan = extended.Plan,
            Inputs = inputs,
        }).ConfigureAwait(false);
        activity.Replace(plan);
    }

    /// <summary>
    /// Takes the plan that another version of the code makes of the same specification: trials that it computes otherwise run again.
    /// </summary>
    /// <param name="hash">The plan's.</param>
    public async Task ReplanAsync(string hash)
    {
        if (sweep.Record.Plan == hash) return;
        var plan = await runner.ReadPlanAsync(sweep.Record with { Plan = hash }, CancellationToken.None).ConfigureAwait(false);
        var before = await FindPredictionsAsync().ConfigureAwait(false);
        var known = sweep.Record.Trials.Count; // none yet in the record of an older version
        bool IsOther(PlannedTrial trial) => before.GetValueOrDefault(trial.Number) != trial.Predictions;
        var changed = plan.Trials.Where(IsOther).Select(trial => trial.Number).Where(number => number <= known).ToList();
        await runner.StopAsync().ConfigureAwait(false);
        SweepRecord Replan(SweepRecord record) => (changed.Count == 0 ? record : record.Invalidated(changed)) with { Plan = hash };
        await RestartAsync(Replan).ConfigureAwait(false);
        activity.Replace(plan);
    }

    /// <summary>
    /// Removes the mark of a sweep that has ended: its node may have died between the last write and this one, and the
    /// sweep would be woken for ever.
    /// </summary>
    public async Task RemoveMarkWhereEndedAsync()
    {
        if (sweep.Record.HasEnded) await sweeps.UnmarkAsync(sweep.Id, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>
    /// Invalidates a stage's stored output. A sweep that runs, or was done, runs the trials that depend on it again; one
    /// that was paused or cancelled does so once it is resumed.
    /// </summary>
    public async Task RepairAsync(string stage)
    {
        await runner.StopAsync().ConfigureAwait(false);
        var plan = await runner.LoadPlanAsync(CancellationToken.None).ConfigureAwait(false);
        bool Needs(PlannedTrial trial) => plan.GetStages(trial).Any(its => its.Key == stage);
        var affected = plan.Trials.Where(Needs).Select(trial => trial.Number).ToHashSet();
        await stages.ForgetAsync(stage, CancellationToken.None).ConfigureAwait(false);
        await RestartAsync(record => record.Invalidated(affected)).ConfigureAwait(false);
    }

    /// <summary>Some of the trials.</summary>
    public async Task<TrialPage> TrialsAsync(TrialQuery query)
    {
        var plan = await runner.LoadPlanAsync(CancellationToken.None).ConfigureAwait(false);
        return SweepStatusView.CreatePage(sweep, activity, plan, query);
    }

    /// <summary>The status; waits for a change where the caller has the current version already.</summary>
    public async Task<SweepStatus> StatusAsync(long knownVersion)
    {
        await sweep.WaitAsync(knownVersion, StatusInterval, StatusTimeout).ConfigureAwait(false);
        try
        {
            if (activity.Plan is null && sweep.Record.State != WorkState.Failed)
                await runner.LoadPlanAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (InvalidDataException missing)
        {
            // The plan is missing in the store: the state is known all the same, and can be changed.
            return SweepStatusView.Create(sweep, activity) with { Reason = missing.Message };
        }
        var status = SweepStatusView.Create(sweep, activity);
        return ownership.IsForeign(sweep.Record) ? status with { Reason = $"It is run by '{sweep.Record.Owner}'." } : status;
    }

    /// <summary>The stages that give the trials' predictions, by number; none where another version wrote what can't be read.</summary>
    private async Task<Dictionary<int, string>> FindPredictionsAsync()
    {
        try
        {
            var plan = await runner.LoadPlanAsync(CancellationToken.None).ConfigureAwait(false);
            return plan.Trials.ToDictionary(trial => trial.Number, trial => trial.Predictions);
        }
        catch (Exception error) when (error is InputException or InvalidDataException)
        {
            return [];
        }
    }

    private Task WriteAsync(SteeringAction? by, Func<SweepRecord, SweepRecord> change) =>
        sweep.WriteAsync(record => record.Steered(by, change));

    /// <summary>Makes a change that may let a sweep that was done run again: it is marked before.</summary>
    private async Task RestartAsync(Func<SweepRecord, SweepRecord> change)
    {
        if (change(sweep.Record).State == WorkState.Running)
            await sweeps.MarkAsync(sweep.Id, CancellationToken.None).ConfigureAwait(false);
        await sweep.WriteAsync(change).ConfigureAwait(false);
    }

    /// <summary>Where the sweep was submitted a moment ago, its loop has not yet written how many trials there are.</summary>
    private async Task CheckNumbersAsync(IReadOnlyList<int> numbers)
    {
        if (numbers.Count == 0) return;
        if (sweep.Record.Trials.Count == 0) await PlanAsync().ConfigureAwait(false);
        var count = sweep.Record.Trials.Count;
        foreach (var number in numbers)
        {
            if (number < 1 || number > count) throw new ArgumentException($"There is no trial {number}; the sweep has {count}.");
        }
    }

    private async Task PlanAsync()
    {
        try
        {
            await runner.PlanAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (InvalidDataException missing)
        {
            throw new ArgumentException(missing.Message, missing);
        }
    }
}
