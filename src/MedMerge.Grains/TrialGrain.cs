using MedMerge.Grains.Nodes;
using MedMerge.Grains.Work;
using MedMerge.Storage;

namespace MedMerge.Grains;

/// <inheritdoc cref="ITrialGrain" />
internal sealed class TrialGrain(ILocalSiloDetails silo, PlanCache plans, ClusterView cluster, StageStore store, IGrainFactory grains, TimeProvider time) : Grain, ITrialGrain
{
    private const string Sweep = "sweep";
    private readonly LeasedWork _work = new(time);
    private volatile TrialExecutor? _walk;

    /// <inheritdoc />
    public async Task<TrialStatus> RunAsync(TrialRequest request)
    {
        var key = this.GetPrimaryKeyString(); // known to the grain's own turns alone
        var state = await _work.RenewAsync(Sweep, request.Attempt, cancellation => WalkAsync(key, request, cancellation));
        if (state is WorkState.Done) DeactivateOnIdle(); // should an output be lost, the trial is walked again
        var walk = _walk;
        return new TrialStatus(state, state == WorkState.Running ? [.. (walk?.Nodes ?? []).Prepend(silo.SiloAddress.ToParsableString()).Distinct()] : [], walk?.Progress,
            walk?.Computed ?? [], walk?.Kept ?? [], state == WorkState.Failed ? _work.Failure : null);
    }

    /// <inheritdoc />
    public Task StopAsync()
    {
        _work.Release(Sweep);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _work.CloseAsync(cancellationToken);

    private async Task WalkAsync(string key, TrialRequest request, CancellationToken cancellation)
    {
        var plan = await plans.GetAsync(request.Specification);
        var walk = new TrialExecutor(plan, plan.Trials[request.Number - 1], request, key, cluster, grains, store, time);
        _walk = walk;
        await walk.RunAsync(cancellation);
    }
}
