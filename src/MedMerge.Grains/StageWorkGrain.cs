using MedMerge.Experiments;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Work;
using MedMerge.Storage;
using MedMerge.Training;

namespace MedMerge.Grains;

/// <summary>What the grains of stages have in common: held work, progress, leaving.</summary>
internal abstract class StageWorkGrain(ILocalSiloDetails silo, Plans plans, TimeProvider time) : Grain, IStageWork
{
    private readonly HeldWork _work = new(time);
    private volatile StageProgress? _progress;

    protected Plans Plans => plans;

    /// <summary>This silo, as messages name it.</summary>
    protected string Node { get; } = silo.SiloAddress.ToParsableString();

    /// <summary>All silos at work for the stage.</summary>
    protected virtual IReadOnlyList<string> Nodes => [Node];

    /// <inheritdoc />
    public async Task<StageStatus> RunAsync(StageRequest request)
    {
        var key = this.GetPrimaryKeyString().Split('/')[1]; // known to the grain's own turns alone
        var state = await _work.HoldAsync(request.Asker, request.Attempt, cancellation => RunAsync(key, request, cancellation));
        if (state is WorkState.Done) DeactivateOnIdle(); // the store has it; should it be lost there, the next to ask has it computed again
        return new StageStatus(state, state == WorkState.Running ? Nodes : [], _progress, state == WorkState.Failed ? _work.Failure : null);
    }

    /// <inheritdoc />
    public Task ReleaseAsync(string asker)
    {
        _work.Release(asker);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _work.CloseAsync(cancellationToken);

    /// <summary>Puts the stage's output into the store.</summary>
    protected abstract Task ComputeAsync(StageRequest request, Plan plan, Stage stage, Action<EpochRecord, int> epochs, CancellationToken cancellation);

    private async Task RunAsync(string key, StageRequest request, CancellationToken cancellation)
    {
        var (plan, stage) = await plans.StageAsync(request.Specification, request.Trial, key);
        _progress = new StageProgress(stage.Name, null, 0, null, null, Node, key);
        await ComputeAsync(request, plan, stage, (epoch, epochs) => _progress = new StageProgress(
            stage.Name, epoch.Epoch, epochs, double.IsNaN(epoch.Loss) ? null : epoch.Loss, epoch.Validation.MacroF1, Node, key), cancellation);
    }
}
