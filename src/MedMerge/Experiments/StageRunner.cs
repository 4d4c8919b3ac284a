using MedMerge.Experiments.Stages;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments;

/// <summary>Computes stages on one device, each once, going on from what the store holds.</summary>
/// <param name="files">Gives the files that the specification names.</param>
public sealed class StageRunner(IStageStore store, DeviceThread device, StageFileReader files)
{
    /// <summary>A stage's output, from the store or computed. An input that was damaged or removed since is computed again.</summary>
    /// <param name="epochs">Hears of every epoch, with the number of epochs there will be.</param>
    public async Task<StageOutput> OutputAsync(Stage stage, Action<EpochRecord, int> epochs, CancellationToken cancellation)
    {
        if (await store.FindAsync(stage.Key, cancellation).ConfigureAwait(false) is { } kept) return kept;
        var inputs = new List<StageOutput>();
        foreach (var input in stage.Inputs) inputs.Add(await OutputAsync(input, epochs, cancellation).ConfigureAwait(false));
        var checkpoints = store.Checkpoints(stage.Key);
        var output = await stage.ExecuteAsync(inputs, new StageContext(device, checkpoints, files, epochs), cancellation).ConfigureAwait(false);
        await store.SaveAsync(stage.Key, stage.Name, output, cancellation).ConfigureAwait(false);
        await checkpoints.ClearAsync(cancellation).ConfigureAwait(false);
        return output;
    }
}
