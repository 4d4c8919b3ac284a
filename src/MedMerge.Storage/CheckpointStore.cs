using System.Globalization;

namespace MedMerge.Storage;

/// <summary>
/// A stage's checkpoints. A commit writes the files as artefacts, then a manifest <c>checkpoints/KEY/NUMBER-COMMIT</c>
/// that lists them and its predecessor, then the pointer <c>checkpoints/KEY/pointer</c> on condition of its ETag. That
/// one conditional write decides: before it nothing has happened, after it everything has, and a fenced process can't
/// make it. A reader checks every hash and falls back to the predecessor where anything is damaged.
/// </summary>
/// <param name="stage">The stage's key: letters, digits, '.', '-' and '_'.</param>
public sealed class CheckpointStore(IObjectStore objects, string stage)
{
    /// <summary>Prefix of all checkpoints.</summary>
    public const string Prefix = "checkpoints/";

    /// <summary>
    /// Prefix of the checkpoints of older versions: never read, and removed by
    /// <see cref="StoreMaintenance.CollectAsync"/>.
    /// </summary>
    public const string LegacyPrefix = "trials/";

    private const string CheckpointKind = "checkpoint";
    private const string PointerKind = "pointer";
    private const int NumberDigits = 8;

    /// <summary>What the pointer names where all checkpoints were removed.</summary>
    private const string Cleared = "";

    private readonly ArtefactStore _artefacts = new(objects);

    private string Folder => $"{Prefix}{stage}/";

    private string PointerName => Folder + PointerKind;

    /// <summary>The newest checkpoint that is whole, or null where there is none yet.</summary>
    /// <exception cref="InvalidDataException">There are checkpoints, and none can be read; nothing is
    /// overwritten.</exception>
    public async Task<Checkpoint?> LoadAsync(CancellationToken cancellation)
    {
        var (name, fence) = await PointedAtAsync(cancellation).ConfigureAwait(false);
        if (fence is null || name == Cleared) return null;
        while (name is not null)
        {
            var (listed, _) = await Manifest.ReadAsync<Listed>(objects, name, CheckpointKind, cancellation).ConfigureAwait(false);
            if (listed is null)
            {
                name = await BeforeAsync(name, cancellation).ConfigureAwait(false);
                continue;
            }
            if (await FilesAsync(listed, cancellation).ConfigureAwait(false) is { } files)
                return new Checkpoint(listed.Number, files, fence);
            name = listed.Predecessor;
        }
        throw new InvalidDataException($"No checkpoint of stage '{stage}' can be read. `medmerge storage verify` lists what is damaged.");
    }

    /// <summary>How many checkpoints have been committed, also those that were removed since; 0 once they were cleared.</summary>
    public async Task<int> CountAsync(CancellationToken cancellation)
    {
        var (name, _) = await PointedAtAsync(cancellation).ConfigureAwait(false);
        return name is null or Cleared ? 0 : NumberOf(name);
    }

    /// <summary>Commits a state after <paramref name="previous"/>.</summary>
    /// <param name="previous">What <see cref="LoadAsync"/> or the last commit gave; null for the first.</param>
    /// <returns>The checkpoint, or null where another process has committed since: this one must stop.</returns>
    public async Task<Checkpoint?> CommitAsync(
        Checkpoint? previous,
        IReadOnlyDictionary<string, byte[]> files,
        CancellationToken cancellation)
    {
        var hashes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, content) in files) hashes[name] = await _artefacts.WriteAsync(content, cancellation).ConfigureAwait(false);

        var commit = Guid.NewGuid().ToString("N");
        var number = (previous?.Number ?? 0) + 1;
        string? predecessor = null;
        if (previous is not null)
        {
            (predecessor, var current) = await PointedAtAsync(cancellation).ConfigureAwait(false);
            if (current != previous.Fence) return null; // another process has moved the pointer
        }
        var manifestName = $"{Folder}{number.ToString("D" + NumberDigits, CultureInfo.InvariantCulture)}-{commit}";
        var manifest = Manifest.Write(CheckpointKind, commit, new Listed(number, hashes, predecessor));
        await objects.TryCreateAsync(manifestName, manifest, cancellation).ConfigureAwait(false);

        var pointer = Manifest.Write(PointerKind, commit, new Pointer(manifestName));
        var moved = previous is null
            ? await TryCreatePointerAsync(pointer, cancellation).ConfigureAwait(false)
            : await objects.TryReplaceAsync(PointerName, pointer, previous.Fence, cancellation).ConfigureAwait(false);
        moved ??= await OwnWriteAsync(commit, cancellation).ConfigureAwait(false);
        return moved is null ? null : new Checkpoint(number, files, moved);
    }

    /// <summary>
    /// Removes all checkpoints but the one that the pointer names and its predecessors, <paramref name="kept"/> together, with
    /// those of their artefacts that the kept ones don't need. A higher number than the pointer's stays too: another process
    /// may be about to move the pointer there. Only for stages whose files no other manifest refers to.
    /// </summary>
    public async Task PruneAsync(int kept, CancellationToken cancellation)
    {
        var (name, fence) = await PointedAtAsync(cancellation).ConfigureAwait(false);
        if (fence is null || name is null or Cleared) return;
        var current = NumberOf(name);
        var keep = new HashSet<string>();
        var needed = new HashSet<string>();
        while (name is not null && keep.Count < kept)
        {
            keep.Add(name);
            var (listed, _) = await Manifest.ReadAsync<Listed>(objects, name, CheckpointKind, cancellation).ConfigureAwait(false);
            if (listed is not null) needed.UnionWith(listed.Files.Values);
            name = listed is null ? await BeforeAsync(name, cancellation).ConfigureAwait(false) : listed.Predecessor;
        }
        var old = new List<string>();
        foreach (var manifest in await ManifestsAsync(cancellation).ConfigureAwait(false))
        {
            if (keep.Contains(manifest)) continue;
            if (NumberOf(manifest) <= current) old.Add(manifest);
            else needed.UnionWith(await HashesAsync(manifest, cancellation).ConfigureAwait(false));
        }
        await RemoveAsync(old, needed, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Removes every checkpoint, on condition that the pointer is still what this process read or wrote last: another process
    /// that has moved it since continues from there. The pointer stays, marked as cleared, until the store is cleaned up:
    /// removing it could hit that of a process that begins the stage anew.
    /// </summary>
    /// <param name="fence">The pointer's ETag.</param>
    /// <returns>Whether they are removed.</returns>
    public async Task<bool> TryDeleteAsync(string fence, CancellationToken cancellation)
    {
        var old = await ManifestsAsync(cancellation).ConfigureAwait(false); // listed first: later ones are of who begins anew
        var cleared = Manifest.Write(PointerKind, Guid.NewGuid().ToString("N"), new Pointer(Cleared));
        if (await objects.TryReplaceAsync(PointerName, cleared, fence, cancellation).ConfigureAwait(false) is null) return false;
        var needed = new HashSet<string>();
        foreach (var other in (await ManifestsAsync(cancellation).ConfigureAwait(false)).Except(old))
            needed.UnionWith(await HashesAsync(other, cancellation).ConfigureAwait(false));
        await RemoveAsync(old, needed, cancellation).ConfigureAwait(false);
        return true;
    }

    /// <summary>
    /// As <see cref="TryDeleteAsync"/>, where <see cref="LoadAsync"/> found no checkpoint that can be read. One that another process
    /// commits meanwhile moves the pointer, and stays.
    /// </summary>
    public async Task TryDeleteDamagedAsync(CancellationToken cancellation)
    {
        var (_, fence) = await PointedAtAsync(cancellation).ConfigureAwait(false);
        if (fence is not null && !await HasReadableAsync(cancellation).ConfigureAwait(false))
            await TryDeleteAsync(fence, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Whether an object below <see cref="Prefix"/> is a checkpoint's manifest; the other kind is the pointer.
    /// </summary>
    public static bool IsManifest(string name) => !name.EndsWith($"/{PointerKind}", StringComparison.Ordinal);

    /// <summary>
    /// The key of the stage that an object below <see cref="Prefix"/> or <see cref="LegacyPrefix"/> belongs to.
    /// </summary>
    public static string StageOf(string name) => name.Split('/')[1];

    /// <summary>The artefacts that a checkpoint's manifest refers to, or null where it is damaged.</summary>
    public static IEnumerable<string>? ArtefactsOf(ReadOnlyMemory<byte> manifest) =>
        Manifest.Read<Listed>(manifest, CheckpointKind)?.Files.Values;

    private async Task<string?> TryCreatePointerAsync(byte[] pointer, CancellationToken cancellation)
    {
        if (await objects.TryCreateAsync(PointerName, pointer, cancellation).ConfigureAwait(false) is { } etag) return etag;
        var (found, fence) = await Manifest.ReadAsync<Pointer>(objects, PointerName, PointerKind, cancellation).ConfigureAwait(false);
        if (found?.Checkpoint != Cleared || fence is null) return null;
        return await objects.TryReplaceAsync(PointerName, pointer, fence, cancellation).ConfigureAwait(false);
    }

    private async Task<bool> HasReadableAsync(CancellationToken cancellation)
    {
        try
        {
            return await LoadAsync(cancellation).ConfigureAwait(false) is not null;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private async Task<List<string>> ManifestsAsync(CancellationToken cancellation)
    {
        var names = new List<string>();
        await foreach (var found in objects.ListAsync(Folder, cancellation).ConfigureAwait(false))
            if (IsManifest(found.Name)) names.Add(found.Name);
        return names;
    }

    private async Task<IEnumerable<string>> HashesAsync(string manifest, CancellationToken cancellation)
    {
        var (listed, _) = await Manifest.ReadAsync<Listed>(objects, manifest, CheckpointKind, cancellation).ConfigureAwait(false);
        return listed?.Files.Values ?? Enumerable.Empty<string>();
    }

    private async Task RemoveAsync(List<string> manifests, HashSet<string> needed, CancellationToken cancellation)
    {
        foreach (var manifest in manifests)
        {
            var hashes = await HashesAsync(manifest, cancellation).ConfigureAwait(false);
            // The manifest first: without its artefacts it would look damaged.
            await objects.DeleteAsync(manifest, cancellation).ConfigureAwait(false);
            foreach (var hash in hashes.Where(hash => !needed.Contains(hash)))
                await objects.DeleteAsync(ArtefactStore.Prefix + hash, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The number in a manifest's name, which sorts as text.</summary>
    private int NumberOf(string manifest) =>
        int.Parse(manifest.AsSpan(Folder.Length, NumberDigits), NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>
    /// An answer that was lost after the write makes the SDK try again, and the second try fails on its own first one.
    /// The commit id tells: where the pointer is this very write, it has happened.
    /// </summary>
    private async Task<string?> OwnWriteAsync(string commit, CancellationToken cancellation)
    {
        var (pointer, etag) = await Manifest.ReadAsync<Pointer>(objects, PointerName, PointerKind, cancellation).ConfigureAwait(false);
        return pointer is not null && pointer.Checkpoint.EndsWith(commit, StringComparison.Ordinal) ? etag : null;
    }

    /// <summary>
    /// The manifest that the pointer names. Where the pointer itself is damaged, the newest manifest: at worst one
    /// whose commit was never decided, which is a valid state of the same stage all the same: states depend on
    /// specification and step alone.
    /// </summary>
    private async Task<(string? Checkpoint, string? Fence)> PointedAtAsync(CancellationToken cancellation)
    {
        var (pointer, fence) = await Manifest.ReadAsync<Pointer>(objects, PointerName, PointerKind, cancellation).ConfigureAwait(false);
        if (fence is null) return (null, null);
        return (pointer?.Checkpoint ?? await BeforeAsync(null, cancellation).ConfigureAwait(false), fence);
    }

    private async Task<Dictionary<string, byte[]>?> FilesAsync(Listed listed, CancellationToken cancellation)
    {
        var files = new Dictionary<string, byte[]>();
        foreach (var (name, hash) in listed.Files)
        {
            if (await _artefacts.ReadAsync(hash, cancellation).ConfigureAwait(false) is not { } content) return null;
            files[name] = content;
        }
        return files;
    }

    /// <summary>
    /// The manifest with the highest number below that of <paramref name="name"/>, or of all where that is null: for
    /// when a manifest is damaged and can't name its predecessor.
    /// </summary>
    private async Task<string?> BeforeAsync(string? name, CancellationToken cancellation)
    {
        string? before = null;
        var limit = name is null ? null : name[..(name.LastIndexOf('-') + 1)];
        await foreach (var found in objects.ListAsync(Folder, cancellation).ConfigureAwait(false))
        {
            if (!IsManifest(found.Name)) continue;
            if (limit is not null && string.CompareOrdinal(found.Name, limit) >= 0) break;
            before = found.Name;
        }
        return before;
    }

    private sealed record Listed(int Number, SortedDictionary<string, string> Files, string? Predecessor);

    private sealed record Pointer(string Checkpoint);
}
