using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;
using MedMerge.Storage;
using MedMerge.Training;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains;

/// <inheritdoc cref="IStageGrain" />
[DevicePlacement]
internal sealed class StageGrain(ILocalSiloDetails silo, PlanCache plans, Devices devices, IStageStore store, DeviceHealth deviceHealth, NodeLoad load, TimeProvider time, ILogger<StageGrain> logger)
    : StageGrainBase(silo, plans, deviceHealth, time, logger), IStageGrain
{
    protected override async Task ComputeAsync(StageRequest request, Plan plan, Stage stage, Action<EpochRecord, int> epochs, CancellationToken cancellation)
    {
        using var counted = load.Add(stage.Key);
        await new StageRunner(store, devices.ForThreads(plan.Specification.Settings.Threads), Plans.FileAsync).OutputAsync(stage, epochs, cancellation, Span);
    }
}
