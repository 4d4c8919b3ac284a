using MedMerge.Experiments;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Work;
using MedMerge.Storage;
using MedMerge.Training;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains;

/// <inheritdoc cref="ICoordinatorGrain" />
internal sealed class CoordinatorGrain(
    ILocalSiloDetails silo, Plans plans, StageStore store, IGrainFactory grains, IOptions<NodeOptions> options, TimeProvider time, ILogger<CoordinatorGrain> logger)
    : StageWorkGrain(silo, plans, time), ICoordinatorGrain
{
    private readonly TimeProvider _time = time;
    private volatile ShardedWeightWorkers? _workers;

    protected override IReadOnlyList<string> Nodes => [Node, .. _workers?.Nodes ?? []];

    protected override async Task ComputeAsync(StageRequest request, Plan plan, Stage stage, Action<EpochRecord, int> epochs, CancellationToken cancellation)
    {
        if (await store.FindAsync(stage.Key, cancellation) is not null) return;
        var weigh = (WeighStage)stage;
        var probe = await store.GetOrForgetAsync(weigh.Head, cancellation);
        var workers = new ShardedWeightWorkers(grains, weigh, request, options.Value, _time, logger);
        _workers = workers;
        try
        {
            await workers.OpenAsync(cancellation);
            var checkpoints = store.Checkpoints(stage.Key);
            var output = await weigh.LearnAsync(probe, workers, checkpoints, epochs, cancellation);
            await store.SaveAsync(stage.Key, stage.Name, output, cancellation);
            await checkpoints.ClearAsync(cancellation);
        }
        finally
        {
            _workers = null;
            await workers.CloseAsync();
        }
    }
}
