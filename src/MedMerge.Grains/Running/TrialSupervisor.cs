using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Work;
using MedMerge.Storage;
using MedMerge.Telemetry;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains.Running;

/// <summary>
/// Supervises one trial on the sweep's node: leases it from its grain until an attempt has ended, and decides what a
/// failure, or a node's death, means.
/// </summary>
internal sealed partial class TrialSupervisor(
    PlannedTrial trial,
    SweepState sweep,
    ITrialGrain grain,
    ClusterView cluster,
    TimeProvider time,
    ILogger logger)
{
    /// <summary>Reads from the store how far the trial is.</summary>
    public required Func<CancellationToken, Task<StoredProgress>> ReadProgress { get; init; }

    /// <summary>Reads from the store what the trial has scored at a rung, by the key of the stage that scores it.</summary>
    public required Func<string, CancellationToken, Task<double?>> ReadScore { get; init; }

    /// <summary>Called with every status that the trial's grain returns.</summary>
    public required Action<TrialStatus> OnStatus { get; init; }

    /// <summary>Takes the seconds of devices that the sweep has used and that its record does not count yet.</summary>
    public required Func<double> TakeSeconds { get; init; }

    /// <summary>Whether cancelling gives the trial up; see <see cref="LeasedWorkClient{TStatus}.IsGivenUp"/>.</summary>
    public required Func<bool> IsGivenUp { get; init; }

    private int Number => trial.Number;

    private TrialRecord Record => sweep.Trial(Number);

    /// <summary>Returns when the trial has a result or has failed for good; the sweep's record says which.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var trace = Record.Trace ?? TrialTrace.Begin(sweep.Id, trial.Number, trial.Row.Title, trial.Seed);
        await WriteAsync(record => record.Started(trace)).ConfigureAwait(false);
        while (Record is { State: WorkState.Running, Attempt: var attempt })
        {
            var failure = await RunAttemptAsync(attempt, cancellation).ConfigureAwait(false);
            var reached = failure is null ? await FindScoreAsync(cancellation).ConfigureAwait(false) : null;
            await EndAttemptAsync(attempt, failure, reached).ConfigureAwait(false);
            if (failure is null) continue;
            if (Record.HasFailed) LogFailed(Number, sweep.Id, failure.Description);
            if (Record.State != WorkState.Running) continue;
            var delay = RetryPolicy.BackOff(Record.Failures);
            LogRetried(Number, sweep.Id, attempt, delay, failure.Description);
            await Task.Delay(delay, time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Runs one attempt to its end.</summary>
    /// <returns>Why it failed; null where it has a result.</returns>
    private async Task<Failure?> RunAttemptAsync(int attempt, CancellationToken cancellation)
    {
        using var span = Spans.Start($"attempt {attempt}", Spans.Read(Record.Trace), new() { ["medmerge.trial"] = Number });
        var request = new TrialRequest(sweep.Record.Specification, Number, attempt, Record.Trace, Record.Rung);
        var lease = new LeasedWorkClient<TrialStatus>(time)
        {
            Renew = () => grain.RunAsync(request),
            Release = grain.StopAsync,
            BeforeCall = () => CountDeathsAsync(cancellation),
            OnStatus = OnStatusAsync,
            IsGivenUp = IsGivenUp,
        };
        try
        {
            var status = await lease.RunAsync(cancellation).ConfigureAwait(false);
            if (status.Failure is not { } failure) return null;
            span.Fail(failure.Reason);
            // A node that leaves because its device failed under the trial counts as one that died under it.
            if (failure.Kind == FailureKind.NodeBad) await CountDeathAsync([], cancellation).ConfigureAwait(false);
            return failure;
        }
        catch (WorkFailedException quarantined)
        {
            return quarantined.Failure;
        }
    }

    private Task EndAttemptAsync(int attempt, Failure? failure, RungScore? reached)
    {
        var seconds = TakeSeconds();
        return sweep.WriteAsync(record => record.WithTrial(Number, trial => trial.AfterAttempt(attempt, failure, reached)) with
        {
            DeviceSeconds = record.DeviceSeconds + seconds,
        });
    }

    private async Task<RungScore?> FindScoreAsync(CancellationToken cancellation)
    {
        var rung = Record.Rung;
        if (rung >= trial.Rungs.Count) return null;
        return new RungScore(await ReadScore(trial.Rungs[rung], cancellation).ConfigureAwait(false));
    }

    private async Task OnStatusAsync(TrialStatus status)
    {
        OnStatus(status);
        var record = Record;
        if (((IWorkStatus)status).HasEnded || ReferenceEquals(record.RunningOn(status.Nodes, cluster.IsDead), record)) return;
        await WriteAsync(current => current.RunningOn(status.Nodes, cluster.IsDead)).ConfigureAwait(false);
    }

    /// <summary>Counts nodes that died while they ran the trial's stages.</summary>
    /// <exception cref="WorkFailedException">They were too many: the trial is quarantined.</exception>
    private async Task CountDeathsAsync(CancellationToken cancellation)
    {
        var dead = Record.Nodes.Where(cluster.IsDead).ToList();
        if (dead.Count == 0) return;
        LogNodesDied(dead.Count, Number, sweep.Id);
        await CountDeathAsync(dead, cancellation).ConfigureAwait(false);
        if (Record.NodeDeaths < RetryPolicy.MaxNodeDeaths) return;
        var reason = $"Nodes died {Record.NodeDeaths} times while they ran this trial, and it made no progress in between; "
            + "it is quarantined. Resuming the sweep tries it again.";
        throw new WorkFailedException(new Failure(FailureKind.NodeBad, reason));
    }

    private async Task CountDeathAsync(IReadOnlyList<string> dead, CancellationToken cancellation)
    {
        var progress = await ReadProgress(cancellation).ConfigureAwait(false);
        await WriteAsync(record => record.Survived(dead, progress)).ConfigureAwait(false);
    }

    private Task WriteAsync(Func<TrialRecord, TrialRecord> change) => sweep.WriteTrialAsync(Number, change);

    [LoggerMessage(LogLevel.Warning, "Trial {Number} of sweep {Sweep} failed: {Reason}")]
    private partial void LogFailed(int number, string sweep, string reason);

    [LoggerMessage(LogLevel.Warning, "Attempt {Attempt} of trial {Number} of sweep {Sweep} failed; the next begins in {Delay}: {Reason}")]
    private partial void LogRetried(int number, string sweep, int attempt, TimeSpan delay, string reason);

    [LoggerMessage(LogLevel.Warning, "{Count} nodes died while they ran trial {Number} of sweep {Sweep}.")]
    private partial void LogNodesDied(int count, int number, string sweep);
}
