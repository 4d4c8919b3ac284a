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
            await objects.DeleteAsync(Prefix + hash, cancellation).ConfigureAwait(false);
            await objects.TryCreateAsync(Prefix + hash, content, cancellation).ConfigureAwait(false);
        }
        return hash;
    }

    /// <summary>The content of that hash, or null where it is missing or not what its name says.</summary>
    public async Task<byte[]?> ReadAsync(string hash, CancellationToken cancellation) =>
        (await FindAsync(hash, cancellation).ConfigureAwait(false))?.Content;

    /// <summary>
    /// As <see cref="ReadAsync"/>, for a manifest that is about to refer to the artefact: an old one is written again, so that a
    /// clean-up which has not seen the manifest does not remove it.
    /// </summary>
    public async Task<byte[]?> RenewAsync(string hash, CancellationToken cancellation)
    {
        if (await FindAsync(hash, cancellation).ConfigureAwait(false) is not { } found) return null;
        var now = (time ?? TimeProvider.System).GetUtcNow();
        if (found.Modified is not { } modified || now - modified < RenewalAge) return found.Content;
        var renewed = await objects.TryReplaceAsync(Prefix + hash, found.Content, found.ETag, cancellation).ConfigureAwait(false);
        if (renewed is null) // it was removed just now, or is renewed by another process
            await objects.TryCreateAsync(Prefix + hash, found.Content, cancellation).ConfigureAwait(false);
        return found.Content;
    }

    private async Task<StoredObject?> FindAsync(string hash, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < ReadAttempts; attempt++)
        {
            if (await objects.ReadAsync(Prefix + hash, cancellation).ConfigureAwait(false) is not { } found) return null;
            if (ContentHash.Of(found.Content) == hash) return found;
        }
        return null;
    }
}
