namespace MedMerge.Storage;

/// <summary>
/// Sweeps under <c>sweeps/ID</c>, each changed on condition of its ETag, so that a fenced grain can't undo what its
/// successor did. <c>active/ID</c> marks those that have not ended: nodes find them without reading every sweep that
/// ever was.
/// </summary>
public sealed class SweepStore(IObjectStore objects)
{
    /// <summary>Prefix of all sweeps.</summary>
    public const string Prefix = "sweeps/";

    private const string ActivePrefix = "active/";
    private const string Kind = "sweep";

    /// <summary>A sweep with its ETag, or null where there is none.</summary>
    /// <exception cref="InvalidDataException">It is damaged; nothing is overwritten.</exception>
    public async Task<(SweepRecord Record, string ETag)?> FindAsync(string id, CancellationToken cancellation)
    {
        var (record, etag) = await Manifest.ReadAsync<SweepRecord>(objects, Prefix + id, Kind, cancellation).ConfigureAwait(false);
        if (etag is null) return null;
        return record is null
            ? throw new InvalidDataException(
                $"The record of sweep '{id}' is damaged. `medmerge storage verify` shows all damage; submit it again under another name.")
            : (record, etag);
    }

    /// <summary>Keeps a new sweep and marks it active.</summary>
    /// <returns>Its ETag, or null where there is one of that id.</returns>
    public async Task<string?> TryCreateAsync(string id, SweepRecord record, CancellationToken cancellation)
    {
        await MarkAsync(id, cancellation).ConfigureAwait(false);
        var commit = Guid.NewGuid().ToString("N");
        return await objects.TryCreateAsync(Prefix + id, Manifest.Write(Kind, commit, record), cancellation).ConfigureAwait(false)
               ?? await OwnWriteAsync(id, commit, cancellation).ConfigureAwait(false);
    }

    /// <summary>Keeps a sweep's new state.</summary>
    /// <returns>The new ETag, or null where another process has changed it since: this one must stop.</returns>
    public async Task<string?> TryReplaceAsync(string id, SweepRecord record, string etag, CancellationToken cancellation)
    {
        var commit = Guid.NewGuid().ToString("N");
        return await objects.TryReplaceAsync(Prefix + id, Manifest.Write(Kind, commit, record), etag, cancellation).ConfigureAwait(false)
               ?? await OwnWriteAsync(id, commit, cancellation).ConfigureAwait(false);
    }

    /// <summary>Marks a sweep as active, so that nodes resume it.</summary>
    public async Task MarkAsync(string id, CancellationToken cancellation) =>
        await objects.TryCreateAsync(ActivePrefix + id, "active"u8.ToArray(), cancellation).ConfigureAwait(false);

    /// <summary>Removes the mark of a sweep that has ended.</summary>
    public Task UnmarkAsync(string id, CancellationToken cancellation) => objects.DeleteAsync(ActivePrefix + id, cancellation);

    /// <summary>The ids of sweeps that have not ended.</summary>
    public Task<List<string>> ActiveAsync(CancellationToken cancellation) => IdsAsync(ActivePrefix, cancellation);

    /// <summary>All ids.</summary>
    public Task<List<string>> ListAsync(CancellationToken cancellation) => IdsAsync(Prefix, cancellation);

    /// <summary>The artefacts that a sweep's manifest refers to, or null where it is damaged.</summary>
    public static IEnumerable<string>? ArtefactsOf(ReadOnlyMemory<byte> manifest) =>
        Manifest.Read<SweepRecord>(manifest, Kind) is { } record ? [record.Specification, record.Plan, .. record.Inputs] : null;

    private async Task<List<string>> IdsAsync(string prefix, CancellationToken cancellation)
    {
        var ids = new List<string>();
        await foreach (var found in objects.ListAsync(prefix, cancellation).ConfigureAwait(false)) ids.Add(found.Name[prefix.Length..]);
        return ids;
    }

    /// <summary>
    /// Where the answer to a write was lost, the client tries again and fails on its own first try; the commit's id
    /// tells.
    /// </summary>
    private async Task<string?> OwnWriteAsync(string id, string commit, CancellationToken cancellation)
    {
        var stored = await objects.ReadAsync(Prefix + id, cancellation).ConfigureAwait(false);
        return stored is not null && Manifest.CommitOf(stored.Content) == commit ? stored.ETag : null;
    }
}
