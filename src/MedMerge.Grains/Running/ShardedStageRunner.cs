using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Storage;
using MedMerge.Telemetry;
using MedMerge.Tensors;
using MedMerge.Training;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Running;

/// <summary>
/// Runs a stage whose gradients are computed by shards on the devices of several nodes. The stage itself holds
/// parameters and optimiser, adds up the gradients in shard order, steps and saves checkpoints.
/// </summary>
internal sealed class ShardedStageRunner(
    PlanCache plans,
    StageStore store,
    OutputCache outputs,
    Devices devices,
    ClusterView cluster,
    IGrainFactory grains,
    IOptions<NodeOptions> options,
    TimeProvider time,
    ILogger<ShardedStageRunner> logger)
{
    /// <summary>Returns when the stage's output is in the store.</summary>
    /// <param name="onWarning">Called with what a user should know about the output.</param>
    public async Task RunAsync(
        StageExecution execution,
        Trial trial,
        Stage stage,
        Action<string> onWarning,
        CancellationToken cancellation)
    {
        if (await store.FindAsync(stage.Key, cancellation).ConfigureAwait(false) is { } stored)
        {
            execution.Timing = stored.Timing;
            return;
        }
        var checkpoints = new ObservedCheckpoints(store.Checkpoints(stage.Key));
        var device = devices.Borrow(trial.Scenario.Settings.Threads);
        var context = new StageContext(
            device,
            checkpoints,
            new CheckpointInterval(time, options.Value.CheckpointInterval),
            plans.FileAsync,
            execution.OnEpoch,
            onWarning,
            execution.Span);
        var start = time.GetTimestamp();
        var computed = await ComputeAsync(execution, stage, context, cancellation).ConfigureAwait(false);
        execution.Timing = new StageTiming(
            time.GetElapsedTime(start).TotalSeconds,
            checkpoints.IsResumed,
            DeviceModel.Get(device.Device),
            execution.ShardNodes);
        var output = new StageOutput(computed.Files) { Timing = execution.Timing };
        using var saving = Spans.Start($"{stage.Name} save", execution.Span);
        await store.SaveAsync(stage.Key, stage.Name, output, cancellation).ConfigureAwait(false);
        await checkpoints.ClearAsync(cancellation).ConfigureAwait(false);
        LargeGarbage.Collect();
    }

    private async Task<StageOutput> ComputeAsync(
        StageExecution execution,
        Stage stage,
        StageContext context,
        CancellationToken cancellation)
    {
        switch (stage)
        {
            case KernelWeightStage learn:
                var start = await GetAllAsync(learn.StartInputs).ConfigureAwait(false);
                return await SpreadAsync(learn, execution, shards =>
                {
                    var workers =
                        new GrainShardWorkers<KernelWeightStep, KernelWeightGradient, double>(shards, new KernelWeightFormat(learn));
                    return learn.LearnAsync(start, workers, context, cancellation);
                }, cancellation).ConfigureAwait(false);
            case FineTuneStage tune:
                var inputs = await GetAllAsync(tune.Inputs).ConfigureAwait(false);
                return await SpreadAsync(tune, execution, shards =>
                {
                    var workers = new GrainShardWorkers<FineTuneStep, FineTuneGradient, float>(shards, FineTuneFormat.Instance);
                    return tune.CoordinateAsync(inputs, workers, context, cancellation);
                }, cancellation).ConfigureAwait(false);
            default:
                throw new ArgumentOutOfRangeException(nameof(stage));
        }

        async Task<IReadOnlyList<StageOutput>> GetAllAsync(IReadOnlyList<Stage> stages)
        {
            var found = new List<StageOutput>();
            foreach (var input in stages) found.Add(await outputs.GetAsync(input, cancellation).ConfigureAwait(false));
            return found;
        }
    }

    private async Task<StageOutput> SpreadAsync<TComputer>(
        IShardedStage<TComputer> stage,
        StageExecution execution,
        Func<ShardSet, Task<StageOutput>> run,
        CancellationToken cancellation)
        where TComputer : IDisposable
    {
        var inputs = stage.ShardInputs.Select(input => input.Key).ToList();
        var spread = new ShardedWork(stage.Key, stage.Target.Device, stage.Shards, inputs);
        var shards = new ShardSet(spread, execution.Request, grains, cluster, options.Value, time, logger);
        using var running = execution.WithShards(() => shards.Nodes);
        try
        {
            using (Spans.Start("open shards", execution.Span)) await shards.OpenAsync(cancellation).ConfigureAwait(false);
            return await run(shards).ConfigureAwait(false);
        }
        finally
        {
            await shards.CloseAsync().ConfigureAwait(false);
        }
    }
}
