namespace MedMerge.Storage;

/// <summary>An object as read.</summary>
/// <param name="ETag">Changes with every write.</param>
public sealed record StoredObject(byte[] Content, string ETag)
{
    /// <summary>When it was last written; null where the store does not know.</summary>
    public DateTimeOffset? Modified { get; init; }
}

/// <summary>An object as listed.</summary>
/// <param name="Modified">When it was last written.</param>
public sealed record ObjectInfo(string Name, DateTimeOffset Modified)
{
    /// <summary>In bytes.</summary>
    public long Length { get; init; }
}

/// <summary>What a store knows about an object without reading it.</summary>
/// <param name="Length">In bytes.</param>
public sealed record ObjectProperties(long Length);

/// <summary>
/// Named, immutable or conditionally replaced objects: a container of Azure blobs or a folder. Names are paths with
/// '/', of letters, digits, '.', '-' and '_'.
/// </summary>
public interface IObjectStore
{
    /// <summary>The object, or null where there is none.</summary>
    Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation);

    /// <summary>The properties of an object, or null where there is none. Its content is not read.</summary>
    Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation);

    /// <summary>
    /// Writes an object, whole or not at all, without holding it in memory. An object of that name is replaced: this is for content that
    /// its name follows from.
    /// </summary>
    /// <param name="content">Seekable, since a write may be tried again; read from its start.</param>
    Task WriteAsync(string name, Stream content, CancellationToken cancellation);

    /// <summary>Writes a new object, whole or not at all.</summary>
    /// <returns>Its ETag, or null where the name is taken (If-None-Match: *).</returns>
    Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation);

    /// <summary>
    /// Replaces an object, whole or not at all, where its ETag is still <paramref name="etag"/> (If-Match).
    /// </summary>
    /// <returns>The new ETag, or null where the object has changed or is gone.</returns>
    Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation);

    /// <summary>The objects whose names start with <paramref name="prefix"/>, in ordinal order.</summary>
    IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellation);

    /// <summary>Removes an object; does nothing where there is none.</summary>
    Task DeleteAsync(string name, CancellationToken cancellation);

    /// <summary>Removes an object unless it was written since it was listed (If-Unmodified-Since).</summary>
    /// <returns>Whether it is gone.</returns>
    Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation);
}
