namespace MedMerge.Storage;

/// <summary>What must last of a sweep: what it runs, and what became of each trial.</summary>
/// <param name="Name">As shown to people.</param>
/// <param name="Specification">SHA-256 of the frozen specification.</param>
/// <param name="Plan">SHA-256 of the plan's summary.</param>
/// <param name="Inputs">SHA-256 of the files that it names.</param>
/// <param name="State">As the sweep's grain names it.</param>
/// <param name="Submitted">When it came.</param>
/// <param name="Trials">By number; empty before the plan was first built.</param>
/// <param name="Reason">Why it failed as a whole.</param>
/// <param name="Trace">Traceparent of what submitted it; null where nobody traced.</param>
public sealed record SweepRecord(
    string Name, string Specification, string Plan, IReadOnlyList<string> Inputs, string State, DateTimeOffset Submitted, IReadOnlyList<TrialRecord> Trials, string? Reason = null, string? Trace = null);

/// <summary>What must last of a trial.</summary>
/// <param name="State">As the sweep's grain names it.</param>
/// <param name="Attempt">The last one begun, from 1; 0 before the first.</param>
/// <param name="NodeDeaths">How often nodes died that were at work for it.</param>
/// <param name="Nodes">Those at work for it now.</param>
/// <param name="Reason">Why it failed.</param>
/// <param name="Trace">Its traceparent: whoever works for it, after whatever crash, adds to the same trace. Null where nobody traces.</param>
public sealed record TrialRecord(string State, int Attempt, int NodeDeaths, IReadOnlyList<string> Nodes, string? Reason, string? Trace = null);

/// <summary>
/// Sweeps under <c>sweeps/ID</c>, each changed on condition of its ETag, so that a sweep's grain that was cut off can't undo what its successor
/// did. <c>active/ID</c> marks those that have not ended, for nodes to find them without reading every sweep that ever was.
/// </summary>
public sealed class SweepStore(IObjectStore objects)
{
    /// <summary>Where sweeps lie.</summary>
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
            ? throw new InvalidDataException($"The record of sweep '{id}' is damaged. `medmerge storage verify` shows all damage; submit it again under another name.")
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

    /// <summary>Marks a sweep as one that nodes must care for.</summary>
    public async Task MarkAsync(string id, CancellationToken cancellation) => await objects.TryCreateAsync(ActivePrefix + id, "active"u8.ToArray(), cancellation).ConfigureAwait(false);

    /// <summary>Takes the mark off a sweep that has ended.</summary>
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

    /// <summary>An answer lost after the write makes the client try again and fail on its own first try; the commit's number tells.</summary>
    private async Task<string?> OwnWriteAsync(string id, string commit, CancellationToken cancellation) =>
        await objects.ReadAsync(Prefix + id, cancellation).ConfigureAwait(false) is { } stored && Manifest.CommitOf(stored.Content) == commit ? stored.ETag : null;
}
