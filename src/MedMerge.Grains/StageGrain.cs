using MedMerge.Grains.Placement;
using MedMerge.Grains.Running;
using MedMerge.Grains.Work;

namespace MedMerge.Grains;

/// <inheritdoc cref="IStageGrain" />
[DevicePlacement]
internal sealed class StageGrain(StageExecutor executor, TimeProvider time) : Grain, IStageGrain
{
    private readonly LeasedWork _work = new(time);
    private volatile StageExecution? _execution;

    /// <inheritdoc />
    public async Task<StageStatus> RunAsync(StageRequest request)
    {
        var key = this.GetPrimaryKeyString().Split('/')[1]; // read here: it is accessible in the grain's own turns only
        var state = await _work.RenewAsync(request.Holder, request.Attempt, cancellation => ExecuteAsync(key, request, cancellation));
        if (state == WorkState.Done)
            DeactivateOnIdle(); // the output is in the store; if it is lost there, the next request computes it again
        if (state == WorkState.Failed) DeactivateOnIdle(); // the next attempt may be placed on another node
        var execution = _execution;
        return new StageStatus(
            state,
            state == WorkState.Running && execution is not null ? execution.Nodes : [],
            execution?.Progress,
            state == WorkState.Failed ? _work.Failure : null,
            state == WorkState.Done ? execution?.Timing?.DeviceSeconds : null);
    }

    /// <inheritdoc />
    public Task ReleaseAsync(string holder)
    {
        _work.Release(holder);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        _work.CloseAsync(cancellationToken);

    private Task ExecuteAsync(string key, StageRequest request, CancellationToken cancellation)
    {
        var execution = new StageExecution(key, request, executor.Node);
        _execution = execution;
        return executor.RunAsync(execution, cancellation);
    }
}
