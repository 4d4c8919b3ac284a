using System.Diagnostics;
using MedMerge.Telemetry;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>Runs stages on one device, reusing outputs and checkpoints in the store.</summary>
/// <param name="readFile">Reads the files that the specification names.</param>
/// <param name="checkpointInterval">How often training stages keep a checkpoint; null for the default.</param>
/// <param name="onWarning">Called with a stage's name and what a user should know about its output.</param>
internal sealed class StageRunner(
    IStageStore store,
    DeviceThread device,
    StageFileReader readFile,
    CheckpointInterval? checkpointInterval = null,
    Action<string, string>? onWarning = null)
{
    /// <summary>Gets the output of a stage from the store, or computes it. Missing and damaged inputs are recomputed.</summary>
    /// <param name="onEpoch">Called after every epoch with the total number of epochs.</param>
    /// <param name="span">The stage's span; default if tracing is off.</param>
    public async Task<StageOutput> OutputAsync(
        Stage stage,
        Action<EpochRecord, int> onEpoch,
        CancellationToken cancellation,
        ActivityContext span = default)
    {
        var inputs = new List<StageOutput>();
        using (Spans.Start($"{stage.Name} load", span))
        {
            if (await store.FindAsync(stage.Key, cancellation).ConfigureAwait(false) is { } stored) return stored;
            foreach (var input in stage.Inputs)
                inputs.Add(await OutputAsync(input, onEpoch, cancellation, span).ConfigureAwait(false));
        }
        var checkpoints = new ObservedCheckpoints(store.Checkpoints(stage.Key));
        var context = new StageContext(
            device,
            checkpoints,
            checkpointInterval ?? CheckpointInterval.Default,
            readFile,
            onEpoch,
            warning => onWarning?.Invoke(stage.Name, warning),
            span);
        var before = device.WorkedTime;
        var computed = await ExecuteAsync(stage, inputs, context, cancellation).ConfigureAwait(false);
        var seconds = (device.WorkedTime - before).TotalSeconds;
        var timing = new StageTiming(seconds, checkpoints.IsResumed, DeviceModel.Get(device.Device));
        var output = new StageOutput(computed.Files) { Timing = timing };
        using (Spans.Start($"{stage.Name} save", span))
        {
            await store.SaveAsync(stage.Key, stage.Name, output, cancellation).ConfigureAwait(false);
            await checkpoints.ClearAsync(cancellation).ConfigureAwait(false);
        }
        inputs.Clear();
        LargeGarbage.Collect();
        return output;
    }

    /// <summary>Runs a stage in a span of its own, unless it trains: then each epoch has one.</summary>
    private static async Task<StageOutput> ExecuteAsync(
        Stage stage,
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation)
    {
        using var span = stage.HasEpochs ? null : Spans.Start($"{stage.Name} compute", context.Span);
        return await stage.ExecuteAsync(inputs, context, cancellation).ConfigureAwait(false);
    }
}
