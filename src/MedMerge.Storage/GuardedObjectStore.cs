namespace MedMerge.Storage;

/// <summary>An object store that a process which was stopped for too long can only read.</summary>
public sealed class GuardedObjectStore(IObjectStore inner, SuspensionGuard guard) : IObjectStore
{
    /// <inheritdoc />
    public Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation) => inner.ReadAsync(name, cancellation);

    /// <inheritdoc />
    public Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation) =>
        inner.GetPropertiesAsync(name, cancellation);

    /// <inheritdoc />
    /// <exception cref="ProcessFencedException">The process was stopped for too long; nothing was written.</exception>
    public async Task WriteAsync(string name, Stream content, CancellationToken cancellation)
    {
        guard.Check();
        await inner.WriteAsync(name, content, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc />
    /// <exception cref="ProcessFencedException">The process was stopped for too long; nothing was written.</exception>
    public async Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        guard.Check();
        return await inner.TryCreateAsync(name, content, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc />
    /// <exception cref="ProcessFencedException">The process was stopped for too long; nothing was written.</exception>
    public async Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation)
    {
        guard.Check();
        return await inner.TryReplaceAsync(name, content, etag, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellation) => inner.ListAsync(prefix, cancellation);

    /// <inheritdoc />
    /// <exception cref="ProcessFencedException">The process was stopped for too long; nothing was removed.</exception>
    public async Task DeleteAsync(string name, CancellationToken cancellation)
    {
        guard.Check();
        await inner.DeleteAsync(name, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc />
    /// <exception cref="ProcessFencedException">The process was stopped for too long; nothing was removed.</exception>
    public async Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation)
    {
        guard.Check();
        return await inner.TryDeleteAsync(listed, cancellation).ConfigureAwait(false);
    }
}
