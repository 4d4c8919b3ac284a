namespace MedMerge.Training;

/// <summary>Keeps the state of one training under way, so that after a crash it continues from the epoch it had reached.</summary>
internal interface ICheckpoints
{
    /// <summary>The newest state that is whole, or null where there is none.</summary>
    Task<byte[]?> LoadAsync(CancellationToken cancellation);

    /// <summary>Keeps a state, whole or not at all; older ones may be deleted.</summary>
    /// <exception cref="ConcurrentWriterException">Another process has kept one since this one last looked: this one must stop.</exception>
    Task SaveAsync(byte[] state, CancellationToken cancellation);

    /// <summary>Deletes all states: the training has ended and its result is kept elsewhere.</summary>
    Task ClearAsync(CancellationToken cancellation);
}

/// <summary>Another process has committed a newer state of the same work.</summary>
internal sealed class ConcurrentWriterException(string message) : Exception(message);
