using MedMerge.Experiments.Stages;
using MedMerge.Grains.Nodes;
using MedMerge.Storage;
using MedMerge.Training;

namespace MedMerge.Grains.Running;

/// <summary>
/// The store as one running stage sees it: inputs come from the node's memory where they are there. Its own output is
/// looked for in the store, for it may have been lost there.
/// </summary>
internal sealed class StageView(string own, StageStore store, OutputCache outputs) : IStageStore
{
    /// <inheritdoc />
    public Task<StageOutput?> FindAsync(string key, CancellationToken cancellation) =>
        key == own ? store.FindAsync(key, cancellation) : outputs.FindAsync(key, cancellation);

    /// <inheritdoc />
    public ICheckpoints Checkpoints(string key) => store.Checkpoints(key);

    /// <inheritdoc />
    public async Task SaveAsync(string key, string stage, StageOutput output, CancellationToken cancellation)
    {
        await store.SaveAsync(key, stage, output, cancellation).ConfigureAwait(false);
        outputs.Add(key, output); // the stages that come next may run here
    }
}
