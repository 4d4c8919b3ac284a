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
        var found = await sweeps.FindAsync(sweep.Id, CancellationToken.None).ConfigureAwait(false);
        return found?.ETag == sweep.ETag;
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
    public async Task ChangeAsync(SweepAction action)
    {
        var hasFailedTrials = sweep.Record.Trials.Any(trial => trial.HasFailed);
        if (SweepTransitions.Next(sweep.Record.State, action, hasFailedTrials) is not { } next) return;
        if (next == WorkState.Running)
        {
            await runner.StopAsync().ConfigureAwait(false); // one that has ended may be about to remove its mark
            await sweeps.MarkAsync(sweep.Id, CancellationToken.None).ConfigureAwait(false);
            await sweep.WriteAsync(record => record.ChangedTo(next)).ConfigureAwait(false);
            return;
        }
        await sweep.WriteAsync(record => record.ChangedTo(next)).ConfigureAwait(false);
        await runner.StopAsync().ConfigureAwait(false);
        if (next == WorkState.Cancelled) await sweeps.UnmarkAsync(sweep.Id, CancellationToken.None).ConfigureAwait(false);
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
        if (sweep.Record.Invalidated(affected).State == WorkState.Running)
            await sweeps.MarkAsync(sweep.Id, CancellationToken.None).ConfigureAwait(false);
        await sweep.WriteAsync(record => record.Invalidated(affected)).ConfigureAwait(false);
    }

    /// <summary>The status; waits for a change where the caller has the current version already.</summary>
    public async Task<SweepStatus> StatusAsync(long knownVersion)
    {
        await sweep.WaitAsync(knownVersion, StatusTimeout).ConfigureAwait(false);
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
}
