namespace MedMerge.Storage;

/// <summary>
/// Immutable content under <c>artefacts/HASH</c>, named by its SHA-256: written once, checked at every read.
/// </summary>
public sealed class ArtefactStore(IObjectStore objects)
{
    /// <summary>Prefix of all artefacts.</summary>
    public const string Prefix = "artefacts/";

    private const int ReadAttempts = 3; // a body that was damaged in transit is whole the next time

    /// <summary>Keeps content and returns its hash. A damaged object of that name is replaced.</summary>
    public async Task<string> WriteAsync(ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var hash = ContentHash.Of(content.Span);
        if (await objects.TryCreateAsync(Prefix + hash, content, cancellation).ConfigureAwait(false) is null
            && await ReadAsync(hash, cancellation).ConfigureAwait(false) is null)
        {
            await objects.DeleteAsync(Prefix + hash, cancellation).ConfigureAwait(false);
            await objects.TryCreateAsync(Prefix + hash, content, cancellation).ConfigureAwait(false);
        }
        return hash;
    }

    /// <summary>The content of that hash, or null where it is missing or not what its name says.</summary>
    public async Task<byte[]?> ReadAsync(string hash, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < ReadAttempts; attempt++)
        {
            if (await objects.ReadAsync(Prefix + hash, cancellation).ConfigureAwait(false) is not { } found) return null;
            if (ContentHash.Of(found.Content) == hash) return found.Content;
        }
        return null;
    }
}
