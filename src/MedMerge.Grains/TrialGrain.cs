using System.Collections.Concurrent;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Running;
using MedMerge.Grains.Work;
using MedMerge.Storage;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains;

/// <inheritdoc cref="ITrialGrain" />
internal sealed class TrialGrain(
    PlanCache plans,
    ClusterView cluster,
    StageStore store,
    FailureReporter failures,
    IGrainFactory grains,
    TimeProvider time,
    ILogger<TrialExecutor> logger)
    : Grain, ITrialGrain
{
    private const string Sweep = "sweep";
    private readonly LeasedWork _work = new(time);
    private readonly ConcurrentBag<(string Stage, string Node)> _failures = [];
    private volatile TrialExecutor? _executor;

    /// <inheritdoc />
    public async Task<TrialStatus> RunAsync(TrialRequest request)
    {
        var key = this.GetPrimaryKeyString(); // read here: it is accessible in the grain's own turns only
        var state = await _work.RenewAsync(Sweep, request.Attempt, cancellation => ExecuteAsync(key, request, cancellation));
        if (state == WorkState.Done) DeactivateOnIdle(); // if an output is lost, the next request runs the trial again
        var executor = _executor;
        var computed = executor?.Computed ?? [];
        return new TrialStatus(
            state,
            state == WorkState.Running ? executor?.Nodes ?? [] : [],
            executor?.Progress,
            [.. computed.Select(stage => stage.Key)],
            executor?.Kept ?? [],
            state == WorkState.Failed ? _work.Failure : null)
        {
            Seconds = [.. computed.Select(stage => stage.Seconds)],
        };
    }

    /// <inheritdoc />
    public Task StopAsync()
    {
        _work.Release(Sweep);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        _work.CloseAsync(cancellationToken);

    private Task ExecuteAsync(string key, TrialRequest request, CancellationToken cancellation)
    {
        var executor = new TrialExecutor(request, key, plans, cluster, store, failures, grains, time, logger)
        {
            IsGivenUp = () => !_work.IsClosed,
            Failures = _failures,
        };
        _executor = executor;
        return executor.RunAsync(cancellation);
    }
}
