using MedMerge.Experiments.Planning;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Work;
using MedMerge.Storage;
using MedMerge.Telemetry;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains;

/// <summary>One trial of a sweep at work: asks its grain until an attempt has ended, and decides what a failure, or the death of a node, means.</summary>
/// <param name="onStatus">Told of every answer.</param>
internal sealed partial class TrialSupervisor(Trial trial, SweepState ledger, ITrialGrain grain, ClusterView cluster, Action<TrialStatus> onStatus, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200), StopDeadline = TimeSpan.FromSeconds(5);

    private int Number => trial.Number;

    private TrialRecord Kept => ledger.Trial(Number);

    /// <summary>Returns when the trial has a result or has failed for good; the ledger says which.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var attempt = Kept.NextAttempt;
        var trace = Kept.Trace ?? TrialTrace.Begin(ledger.Id, trial.Number, trial.Method.Title, trial.Seed);
        await WriteAsync(kept => kept.Started(attempt, trace)).ConfigureAwait(false);
        try
        {
            for (var tries = 1; ; tries++)
            {
                var (failure, quarantined) = await AwaitAttemptAsync(attempt, cancellation).ConfigureAwait(false);
                if (failure is null)
                {
                    await WriteAsync(kept => kept.Done()).ConfigureAwait(false);
                    return;
                }
                if (failure.Kind == FailureKind.NodeBad && !quarantined)
                {
                    // A node that leaves because its device failed under a trial counts as one that died under it.
                    await WriteAsync(kept => kept.Survived([])).ConfigureAwait(false);
                    quarantined = Kept.NodeDeaths >= RetryPolicy.MaxNodeDeaths;
                }
                if (quarantined || RetryPolicy.After(failure, tries) is not { } back)
                {
                    LogFailed(Number, ledger.Id, failure.Reason);
                    await WriteAsync(kept => quarantined ? kept.Quarantined(failure.Reason) : kept.Failed(failure.Reason)).ConfigureAwait(false);
                    return;
                }
                LogAgain(Number, ledger.Id, attempt, back, failure.Reason);
                await Task.Delay(back, time, cancellation).ConfigureAwait(false);
                attempt++;
                await WriteAsync(kept => kept.StartedAgain(attempt, failure.Reason)).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            await StopAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Asks for an attempt until it has ended.</summary>
    /// <returns>Why it failed, or null where it has a result.</returns>
    private async Task<(Failure? Failure, bool Quarantined)> AwaitAttemptAsync(int attempt, CancellationToken cancellation)
    {
        using var span = Spans.Start($"attempt {attempt}", Spans.Read(Kept.Trace), new() { ["medmerge.trial"] = Number });
        var request = new TrialRequest(ledger.Record.Specification, Number, attempt, Kept.Trace);
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            if (await CountDeathsAsync().ConfigureAwait(false) is { } deaths)
            {
                await StopAsync().ConfigureAwait(false);
                return (deaths, true);
            }
            try
            {
                var status = await grain.RunAsync(request).ConfigureAwait(false);
                onStatus(status);
                if (status.State == WorkState.Done) return (null, false);
                if (status.Failure is { } failure)
                {
                    span.Fail(failure.Reason);
                    return (failure, false);
                }
                if (!status.Nodes.ToHashSet().SetEquals(Kept.Nodes)) await WriteAsync(kept => kept.On([.. status.Nodes, .. kept.Nodes.Except(status.Nodes).Where(cluster.IsDead)])).ConfigureAwait(false);
                if (status.State == WorkState.Waiting) await Task.Delay(RetryDelay, time, cancellation).ConfigureAwait(false);
            }
            catch (Exception error) when (FailureClass.IsNodeGone(error))
            {
                await Task.Delay(RetryDelay, time, cancellation).ConfigureAwait(false); // the next call finds the grain elsewhere, once the cluster has noticed
            }
        }
    }

    /// <summary>Counts nodes that died at work for the trial. Those that die together count once: that is the power or the network, not the trial.</summary>
    /// <returns>Why the trial is left out; null where it goes on.</returns>
    private async Task<Failure?> CountDeathsAsync()
    {
        if (Kept.Nodes.Where(cluster.IsDead).ToList() is not { Count: > 0 } dead) return null;
        LogNodesDied(dead.Count, Number, ledger.Id);
        await WriteAsync(kept => kept.Survived(dead)).ConfigureAwait(false);
        return Kept.NodeDeaths < RetryPolicy.MaxNodeDeaths
            ? null
            : new Failure(FailureKind.NodeBad, $"{Kept.NodeDeaths} times nodes died while they were at work for this trial; it is left out. Resuming the sweep tries it again.");
    }

    private async Task StopAsync()
    {
        try
        {
            await grain.StopAsync().WaitAsync(StopDeadline, time).ConfigureAwait(false);
        }
        catch (Exception error) when (FailureClass.IsNodeGone(error))
        {
            // Nobody asks for it any more: its lease runs out by itself.
        }
    }

    private Task WriteAsync(Func<TrialRecord, TrialRecord> change) => ledger.WriteTrialAsync(Number, change);

    [LoggerMessage(LogLevel.Warning, "Trial {Number} of sweep {Sweep} failed: {Reason}")]
    private partial void LogFailed(int number, string sweep, string reason);

    [LoggerMessage(LogLevel.Warning, "Trial {Number} of sweep {Sweep}, attempt {Attempt}, is tried again in {Back}: {Reason}")]
    private partial void LogAgain(int number, string sweep, int attempt, TimeSpan back, string reason);

    [LoggerMessage(LogLevel.Warning, "{Count} nodes at work for trial {Number} of sweep {Sweep} died.")]
    private partial void LogNodesDied(int count, int number, string sweep);
}
