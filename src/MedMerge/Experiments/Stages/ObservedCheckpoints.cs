using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>Checkpoints that remember whether their stage began from one.</summary>
internal sealed class ObservedCheckpoints(ICheckpoints checkpoints) : ICheckpoints
{
    /// <summary>Whether there was a state to begin from.</summary>
    public bool IsResumed { get; private set; }

    /// <inheritdoc />
    public async Task<byte[]?> LoadAsync(CancellationToken cancellation)
    {
        var state = await checkpoints.LoadAsync(cancellation).ConfigureAwait(false);
        IsResumed = state is not null;
        return state;
    }

    /// <inheritdoc />
    public Task SaveAsync(byte[] state, CancellationToken cancellation) => checkpoints.SaveAsync(state, cancellation);

    /// <inheritdoc />
    public Task ClearAsync(CancellationToken cancellation) => checkpoints.ClearAsync(cancellation);
}
