namespace MedMerge.Storage;

/// <summary>
/// Immutable content under <c>artefacts/HASH</c>, named by its SHA-256: written once, checked at every read.
/// </summary>
/// <param name="time">The system's clock where null.</param>
public sealed class ArtefactStore(IObjectStore objects, TimeProvider? time = null)
{
    /// <summary>Prefix of all artefacts.</summary>
    public const string Prefix = "artefacts/";

    /// <summary>An artefact that was written since is safe from a clean-up, which spares what is a day old.</summary>
    private static readonly TimeSpan RenewalAge = TimeSpan.FromHours(1);

    private const int ReadAttempts = 3; // a body that was damaged in transit is whole the next time

    /// <summary>Keeps content and returns its hash. A damaged object of that name is replaced.</summary>
    public async Task<string> WriteAsync(ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var hash = ContentHash.Of(content.Span);
        if (await objects.TryCreateAsync(Prefix + hash, content, cancellation).ConfigureAwait(false) is null
            && await RenewAsync(hash, cancellation).ConfigureAwait(false) is null)
        {
            await objects.TryCreateAsync(Prefix + hash, content, cancellation).ConfigureAwait(false);
        }
        return hash;
    }

    /// <summary>Keeps content of which the hash is known, without holding it in memory. An object of that name is replaced.</summary>
    /// <param name="content">Seekable.</param>
    public Task WriteAsync(string hash, Stream content, CancellationToken cancellation) =>
        objects.WriteAsync(Prefix + hash, content, cancellation);

    /// <summary>The length of the content of that hash, or null where it is missing. It is not read, so it may be damaged.</summary>
    public async Task<long?> FindLengthAsync(string hash, CancellationToken cancellation) =>
        (await objects.GetPropertiesAsync(Prefix + hash, cancellation).ConfigureAwait(false))?.Length;

    /// <summary>The content of that hash, or null where it is missing or not what its name says.</summary>
    public async Task<byte[]?> ReadAsync(string hash, CancellationToken cancellation) =>
        await FindAsync(hash, cancellation).ConfigureAwait(false) is { IsWhole: true } found ? found.Object.Content : null;

    /// <summary>
    /// As <see cref="ReadAsync"/>, for a manifest that is about to refer to the artefact: an old one is written again, so that a
    /// clean-up which has not seen the manifest does not remove it. A damaged one is removed, so that whoever has the content sees that it
    /// is missing.
    /// </summary>
    public async Task<byte[]?> RenewAsync(string hash, CancellationToken cancellation)
    {
        if (await FindAsync(hash, cancellation).ConfigureAwait(false) is not var (found, isWhole)) return null;
        if (!isWhole)
        {
            await RemoveAsync(hash, found, cancellation).ConfigureAwait(false);
            return null;
        }
        var now = (time ?? TimeProvider.System).GetUtcNow();
        if (found.Modified is not { } modified || now - modified < RenewalAge) return found.Content;
        var renewed = await objects.TryReplaceAsync(Prefix + hash, found.Content, found.ETag, cancellation).ConfigureAwait(false);
        if (renewed is null) // it was removed just now, or is renewed by another process
            await objects.TryCreateAsync(Prefix + hash, found.Content, cancellation).ConfigureAwait(false);
        return found.Content;
    }

    private async Task<(StoredObject Object, bool IsWhole)?> FindAsync(string hash, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (await objects.ReadAsync(Prefix + hash, cancellation).ConfigureAwait(false) is not { } found) return null;
            var isWhole = ContentHash.Of(found.Content) == hash;
            if (isWhole || attempt == ReadAttempts) return (found, isWhole);
        }
    }

    /// <summary>Removes a damaged object, unless it was written again meanwhile.</summary>
    private async Task RemoveAsync(string hash, StoredObject damaged, CancellationToken cancellation)
    {
        if (damaged.Modified is { } modified)
            await objects.TryDeleteAsync(new ObjectInfo(Prefix + hash, modified), cancellation).ConfigureAwait(false);
        else await objects.DeleteAsync(Prefix + hash, cancellation).ConfigureAwait(false);
    }
}
