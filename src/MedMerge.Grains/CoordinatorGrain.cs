using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Storage;
using MedMerge.Telemetry;
using MedMerge.Training;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains;

/// <inheritdoc cref="ICoordinatorGrain" />
internal sealed class CoordinatorGrain(
    ILocalSiloDetails silo, PlanCache plans, StageStore store, Devices devices, ClusterView cluster, DeviceHealth deviceHealth, IGrainFactory grains, IOptions<NodeOptions> options, TimeProvider time,
    ILogger<CoordinatorGrain> logger)
    : StageGrainBase(silo, plans, deviceHealth, time, logger), ICoordinatorGrain
{
    private readonly TimeProvider _time = time;
    private volatile Func<IReadOnlyList<string>> _shardNodes = () => [];

    protected override IReadOnlyList<string> Nodes => [Node, .. _shardNodes()];

    protected override async Task ComputeAsync(StageRequest request, Plan plan, Stage stage, Action<EpochRecord, int> epochs, CancellationToken cancellation)
    {
        if (await store.FindAsync(stage.Key, cancellation) is not null) return;
        var checkpoints = store.Checkpoints(stage.Key);
        var context = new StageContext(devices.ForThreads(plan.Specification.Settings.Threads), checkpoints, Plans.FileAsync, epochs, Span);
        var output = stage switch
        {
            KernelWeightStage weigh => await WeighAsync(weigh, request, context, cancellation),
            FineTuneStage tune => await FineTuneAsync(tune, request, context, cancellation),
            _ => throw new ArgumentOutOfRangeException(nameof(stage)),
        };
        using var saving = Spans.Start($"{stage.Name} save", Span);
        await store.SaveAsync(stage.Key, stage.Name, output, cancellation);
        await checkpoints.ClearAsync(cancellation);
    }

    private async Task<StageOutput> WeighAsync(KernelWeightStage stage, StageRequest request, StageContext context, CancellationToken cancellation)
    {
        var probe = await store.GetOrForgetAsync(stage.Head, cancellation);
        return await SpreadAsync<IKernelWeightShardGrain, KernelWeightGradientComputer>(stage, request, calls => stage.LearnAsync(probe, new GrainKernelWeightWorkers(calls), context, cancellation), cancellation);
    }

    private async Task<StageOutput> FineTuneAsync(FineTuneStage stage, StageRequest request, StageContext context, CancellationToken cancellation)
    {
        var inputs = new List<StageOutput>();
        foreach (var input in stage.Inputs) inputs.Add(await store.GetOrForgetAsync(input, cancellation));
        return await SpreadAsync<IFineTuneShardGrain, FineTuneGradientComputer>(stage, request, calls => stage.CoordinateAsync(inputs, new GrainFineTuneWorkers(calls), context, cancellation), cancellation);
    }

    private async Task<StageOutput> SpreadAsync<TGrain, TComputer>(IShardedStage<TComputer> stage, StageRequest request, Func<ShardSet<TGrain>, Task<StageOutput>> learn, CancellationToken cancellation)
        where TGrain : IShardGrain where TComputer : IDisposable
    {
        var calls = new ShardSet<TGrain>(grains, cluster, stage.Key, stage.Target, stage.Shards, [.. stage.ShardInputs.Select(input => input.Key)], request, options.Value, _time, logger);
        _shardNodes = () => calls.Nodes;
        try
        {
            using (Spans.Start("open shards", Span)) await calls.OpenAsync(cancellation);
            return await learn(calls);
        }
        finally
        {
            _shardNodes = () => [];
            await calls.CloseAsync();
        }
    }
}
