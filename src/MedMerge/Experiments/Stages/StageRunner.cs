using System.Diagnostics;
using MedMerge.Telemetry;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>Computes stages on one device, each once, going on from what the store holds.</summary>
/// <param name="files">Gives the files that the specification names.</param>
public sealed class StageRunner(IStageStore store, DeviceThread device, StageFileReader files)
{
    /// <summary>A stage's output, from the store or computed. An input that was damaged or removed since is computed again.</summary>
    /// <param name="epochs">Hears of every epoch, with the number of epochs there will be.</param>
    /// <param name="span">The stage's; default where nobody traces.</param>
    public async Task<StageOutput> OutputAsync(Stage stage, Action<EpochRecord, int> epochs, CancellationToken cancellation, ActivityContext span = default)
    {
        var inputs = new List<StageOutput>();
        using (Spans.Start($"{stage.Name} load", span))
        {
            if (await store.FindAsync(stage.Key, cancellation).ConfigureAwait(false) is { } kept) return kept;
            foreach (var input in stage.Inputs)
                inputs.Add(await OutputAsync(input, epochs, cancellation, span).ConfigureAwait(false));
        }
        var checkpoints = store.Checkpoints(stage.Key);
        var output = await ExecuteAsync(stage, inputs, new StageContext(device, checkpoints, files, epochs, span), cancellation).ConfigureAwait(false);
        using (Spans.Start($"{stage.Name} save", span))
        {
            await store.SaveAsync(stage.Key, stage.Name, output, cancellation).ConfigureAwait(false);
            await checkpoints.ClearAsync(cancellation).ConfigureAwait(false);
        }
        return output;
    }

    /// <summary>A stage that trains has a span for each epoch instead of one for all.</summary>
    private static async Task<StageOutput> ExecuteAsync(Stage stage, IReadOnlyList<StageOutput> inputs, StageContext context, CancellationToken cancellation)
    {
        using var span = stage is KernelWeightStage or FineTuneStage ? null : Spans.Start($"{stage.Name} compute", context.Span);
        return await stage.ExecuteAsync(inputs, context, cancellation).ConfigureAwait(false);
    }
}
