using MedMerge.Experiments;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;
using MedMerge.Storage;
using MedMerge.Training;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains;

/// <inheritdoc cref="IStageGrain" />
[DevicePlacement]
internal sealed class StageGrain(ILocalSiloDetails silo, Plans plans, Devices devices, IStageStore store, NodeFitness fitness, NodeLoad load, TimeProvider time, ILogger<StageGrain> logger)
    : StageWorkGrain(silo, plans, fitness, time, logger), IStageGrain
{
    protected override async Task ComputeAsync(StageRequest request, Plan plan, Stage stage, Action<EpochRecord, int> epochs, CancellationToken cancellation)
    {
        using var counted = load.Add(stage.Key);
        await new StageRunner(store, devices.With(plan.Specification.Threads), Plans.FileAsync).OutputAsync(stage, epochs, cancellation, Span);
    }
}
