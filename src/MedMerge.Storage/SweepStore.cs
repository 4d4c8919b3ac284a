using System.Globalization;
using System.Runtime.CompilerServices;
using MedMerge.Storage.Schedules;

namespace MedMerge.Storage;

/// <summary>
/// Sweeps: a head under <c>sweeps/ID</c>, changed on condition of its ETag, so that a fenced grain can't undo what its
/// successor did, and segments under <c>outcomes/ID/</c>, written once, that the head names. <c>active/ID</c> marks those that should be
/// running, and <c>recent/…-ID</c> sorts all by their age: nodes and lists find them without reading every sweep that ever was.
/// </summary>
public sealed class SweepStore(IObjectStore objects)
{
    /// <summary>Prefix of all sweeps.</summary>
    public const string Prefix = "sweeps/";

    /// <summary>Prefix of all segments.</summary>
    public const string SegmentPrefix = "outcomes/";

    /// <summary>So many outcomes become a segment: what a head holds beside the trials that run.</summary>
    public const int SegmentSize = 256;

    private const string ActivePrefix = "active/";
    private const string RecentPrefix = "recent/";
    private const string Kind = "sweep";
    private const string SegmentKind = "outcomes";
    private const int TicksDigits = 19;
    private const int ReadsAtOnce = 8;

    /// <summary>A sweep with its ETag, or null where there is none.</summary>
    /// <exception cref="InvalidDataException">It is damaged; nothing is overwritten.</exception>
    public async Task<(SweepRecord Record, string ETag)?> FindAsync(string id, CancellationToken cancellation)
    {
        if (await FindHeadAsync(id, cancellation).ConfigureAwait(false) is not var (head, etag)) return null;
        var segments = new List<IReadOnlyDictionary<int, TrialRecord>>();
        foreach (var names in head.Segments.Chunk(ReadsAtOnce))
        {
            var read = names.Select(name => ReadSegmentAsync(id, name, cancellation));
            segments.AddRange(await Task.WhenAll(read).ConfigureAwait(false));
        }
        return (head.Load(segments), etag);
    }

    /// <summary>Whether there is such a sweep, damaged or not.</summary>
    public async Task<bool> ExistsAsync(string id, CancellationToken cancellation) =>
        await objects.GetPropertiesAsync(Prefix + id, cancellation).ConfigureAwait(false) is not null;

    /// <summary>The ETag of a sweep, or null where there is none; its segments are not read.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public async Task<string?> FindETagAsync(string id, CancellationToken cancellation) =>
        (await FindHeadAsync(id, cancellation).ConfigureAwait(false))?.ETag;

    /// <summary>What lists show of a sweep, or null where there is none; its segments are not read.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    internal async Task<(SweepHead Head, string ETag)?> FindHeadAsync(string id, CancellationToken cancellation)
    {
        var (head, etag) = await Manifest.ReadAsync<SweepHead>(objects, Prefix + id, Kind, cancellation).ConfigureAwait(false);
        if (etag is null) return null;
        return head is null ? throw CreateDamaged(id) : (head.Upgraded(), etag);
    }

    /// <summary>Keeps a new sweep and marks it active.</summary>
    /// <returns>Its ETag, or null where there is one of that id.</returns>
    public async Task<string?> TryCreateAsync(string id, SweepRecord record, CancellationToken cancellation)
    {
        await MarkAsync(id, cancellation).ConfigureAwait(false);
        await objects.TryCreateAsync(RecentName(id, record.Submitted), "sweep"u8.ToArray(), cancellation).ConfigureAwait(false);
        var whole = await SealAsync(id, record, cancellation).ConfigureAwait(false);
        var commit = Guid.NewGuid().ToString("N");
        var content = Manifest.Write(Kind, commit, SweepHead.Of(whole));
        return await objects.TryCreateAsync(Prefix + id, content, cancellation).ConfigureAwait(false)
               ?? await OwnWriteAsync(id, commit, cancellation).ConfigureAwait(false);
    }

    /// <summary>Keeps a sweep's new state.</summary>
    /// <returns>The state as it is kept and its ETag, or null where another process has changed it since: this one must stop.</returns>
    public async Task<(SweepRecord Record, string ETag)?> TryReplaceAsync(
        string id,
        SweepRecord record,
        string etag,
        CancellationToken cancellation)
    {
        var whole = await SealAsync(id, record, cancellation).ConfigureAwait(false);
        var commit = Guid.NewGuid().ToString("N");
        var content = Manifest.Write(Kind, commit, SweepHead.Of(whole));
        var written = await objects.TryReplaceAsync(Prefix + id, content, etag, cancellation).ConfigureAwait(false)
            ?? await OwnWriteAsync(id, commit, cancellation).ConfigureAwait(false);
        return written is null ? null : (whole, written);
    }

    /// <summary>Marks a sweep as active, so that nodes resume it.</summary>
    public async Task MarkAsync(string id, CancellationToken cancellation) =>
        await objects.TryCreateAsync(ActivePrefix + id, "active"u8.ToArray(), cancellation).ConfigureAwait(false);

    /// <summary>Removes the mark of a sweep that has ended or is paused.</summary>
    public Task UnmarkAsync(string id, CancellationToken cancellation) => objects.DeleteAsync(ActivePrefix + id, cancellation);

    /// <summary>Removes a sweep with its segments and marks; the head goes last, so that what was interrupted can be done again.</summary>
    public async Task RemoveAsync(string id, DateTimeOffset submitted, CancellationToken cancellation)
    {
        await UnmarkAsync(id, cancellation).ConfigureAwait(false);
        await foreach (var segment in objects.ListAsync($"{SegmentPrefix}{id}/", cancellation).ConfigureAwait(false))
            await objects.DeleteAsync(segment.Name, cancellation).ConfigureAwait(false);
        await objects.DeleteAsync(Prefix + id, cancellation).ConfigureAwait(false);
        await objects.DeleteAsync(RecentName(id, submitted), cancellation).ConfigureAwait(false);
    }

    /// <summary>The ids of sweeps that should be running.</summary>
    public Task<List<string>> ActiveAsync(CancellationToken cancellation) => IdsAsync(ActivePrefix, cancellation);

    /// <summary>All ids.</summary>
    public Task<List<string>> ListAsync(CancellationToken cancellation) => IdsAsync(Prefix, cancellation);

    /// <summary>The ids of a schedule's sweeps.</summary>
    /// <param name="schedule">Its name.</param>
    public async Task<IReadOnlyList<string>> ListScheduledAsync(string schedule, CancellationToken cancellation)
    {
        var sweeps = new List<string>();
        await foreach (var found in objects.ListAsync($"{Prefix}{schedule}-", cancellation).ConfigureAwait(false))
            if (ScheduledRun.IsOf(found.Name[Prefix.Length..], schedule)) sweeps.Add(found.Name[Prefix.Length..]);
        return sweeps;
    }

    /// <summary>The ids of all sweeps, the newest first, as the store lists them: what follows the last one used is not read.</summary>
    public async IAsyncEnumerable<string> ListNewestAsync(
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var found in objects.ListAsync(RecentPrefix, cancellation).ConfigureAwait(false))
            yield return found.Name[(RecentPrefix.Length + TicksDigits + 1)..];
    }

    /// <summary>Sorts sweeps of an older version among the others; what is sorted already is not read.</summary>
    public async Task SortOlderAsync(CancellationToken cancellation)
    {
        var sorted = await ListNewestAsync(cancellation).ToHashSetAsync(cancellationToken: cancellation).ConfigureAwait(false);
        foreach (var id in await ListAsync(cancellation).ConfigureAwait(false))
        {
            if (sorted.Contains(id)) continue;
            var (head, _) = await Manifest.ReadAsync<SweepHead>(objects, Prefix + id, Kind, cancellation).ConfigureAwait(false);
            var name = RecentName(id, head?.Submitted ?? DateTimeOffset.UnixEpoch);
            await objects.TryCreateAsync(name, "sweep"u8.ToArray(), cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The artefacts that a sweep's manifest refers to, or null where it is damaged.</summary>
    public static IEnumerable<string>? ArtefactsOf(ReadOnlyMemory<byte> manifest) =>
        Manifest.Read<SweepHead>(manifest, Kind) is { } head ? [head.Specification, head.Plan, .. head.Inputs] : null;

    /// <summary>Whether a segment is whole.</summary>
    public static bool IsSegment(ReadOnlyMemory<byte> content) => Manifest.Read<SweepSegment>(content, SegmentKind) is not null;

    /// <summary>Newer sweeps sort before older ones.</summary>
    private static string RecentName(string id, DateTimeOffset submitted)
    {
        var age = DateTimeOffset.MaxValue.UtcTicks - submitted.UtcTicks;
        return $"{RecentPrefix}{age.ToString($"D{TicksDigits}", CultureInfo.InvariantCulture)}-{id}";
    }

    private static InvalidDataException CreateDamaged(string id) => new(
        $"The record of sweep '{id}' is damaged. `medmerge storage verify` shows all damage; submit it again under another name.");

    /// <summary>
    /// Writes a segment once there are enough outcomes. Its name has its content's hash: who is interrupted writes the same.
    /// </summary>
    private async Task<SweepRecord> SealAsync(string id, SweepRecord record, CancellationToken cancellation)
    {
        if (record.Trials.Recent.Count < SegmentSize) return record;
        var settled = record.Trials.Settled;
        if (settled.Count < SegmentSize) return record;
        var content = Manifest.Write(SegmentKind, "", new SweepSegment(StoredTrial.Of(settled, [])));
        var name = $"{record.Trials.Segments.Count:D6}-{ContentHash.Of(content)[..12]}";
        await objects.TryCreateAsync($"{SegmentPrefix}{id}/{name}", content, cancellation).ConfigureAwait(false);
        return record with { Trials = record.Trials.Sealed(name) };
    }

    private async Task<IReadOnlyDictionary<int, TrialRecord>> ReadSegmentAsync(string id, string name, CancellationToken cancellation)
    {
        var path = $"{SegmentPrefix}{id}/{name}";
        var (segment, _) = await Manifest.ReadAsync<SweepSegment>(objects, path, SegmentKind, cancellation).ConfigureAwait(false);
        return segment is null ? throw CreateDamaged(id) : StoredTrial.Load(segment.Trials, []);
    }

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
