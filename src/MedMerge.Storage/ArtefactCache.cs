using System.Text.RegularExpressions;
using MedMerge.Telemetry;
using Microsoft.Extensions.Logging;

namespace MedMerge.Storage;

/// <summary>
/// Keeps the artefacts that a node reads and writes in a local folder, so that it fetches each of them once. Several
/// processes may share the folder: a file is there whole or not at all, and its modification time says when it was last
/// used. A folder that can't be written is no error: nothing is cached then.
/// </summary>
/// <param name="inner">Has everything else. An artefact from the folder has its hash for an ETag: artefacts are never
/// replaced by ETag.</param>
/// <param name="folder">Made where it is missing.</param>
/// <param name="bytes">How much it may hold; processes that write at the same time may exceed it until one writes
/// again.</param>
public sealed partial class ArtefactCache(IObjectStore inner, string folder, long bytes, TimeProvider time, ILogger logger)
    : IObjectStore
{
    /// <summary>The kind of the last failure, which is logged where it changes: a full disk fails at every write.</summary>
    private volatile string? _lastFailure;

    private readonly Lock _gate = new();
    private long? _held; // not known before the first look
    private long _looked;

    /// <summary>After so long other processes may have filled the folder.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromMinutes(1);

    /// <summary>A temporary file that is older than this was left by a crash.</summary>
    private static readonly TimeSpan LeftBehind = TimeSpan.FromHours(1);

    /// <inheritdoc />
    public async Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation)
    {
        if (HashIn(name) is not { } hash) return await inner.ReadAsync(name, cancellation).ConfigureAwait(false);
        var kept = await FindAsync(hash, cancellation).ConfigureAwait(false);
        Instruments.CacheAsked("artefacts", kept is not null);
        if (kept is not null) return new StoredObject(kept, hash);
        var stored = await inner.ReadAsync(name, cancellation).ConfigureAwait(false);
        if (stored is not null && ContentHash.Of(stored.Content) == hash)
            await KeepAsync(hash, stored.Content, cancellation).ConfigureAwait(false);
        return stored;
    }

    /// <inheritdoc />
    public Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation) =>
        inner.GetPropertiesAsync(name, cancellation);

    /// <inheritdoc />
    public async Task WriteAsync(string name, Stream content, CancellationToken cancellation)
    {
        await inner.WriteAsync(name, content, cancellation).ConfigureAwait(false);
        if (HashIn(name) is { } hash) Drop(hash);
    }

    /// <inheritdoc />
    public async Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var etag = await inner.TryCreateAsync(name, content, cancellation).ConfigureAwait(false);
        if (HashIn(name) is not { } hash) return etag;
        // Where the name is taken, the caller checks the stored object: it must see the inner store's, not this copy.
        if (etag is null) Drop(hash);
        else if (ContentHash.Of(content.Span) == hash) await KeepAsync(hash, content, cancellation).ConfigureAwait(false);
        return etag;
    }

    /// <inheritdoc />
    public Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation) =>
        inner.TryReplaceAsync(name, content, etag, cancellation);

    /// <inheritdoc />
    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellation) => inner.ListAsync(prefix, cancellation);

    /// <inheritdoc />
    public async Task DeleteAsync(string name, CancellationToken cancellation)
    {
        await inner.DeleteAsync(name, cancellation).ConfigureAwait(false);
        if (HashIn(name) is { } hash) Drop(hash);
    }

    /// <inheritdoc />
    public async Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation)
    {
        var isGone = await inner.TryDeleteAsync(listed, cancellation).ConfigureAwait(false);
        if (isGone && HashIn(listed.Name) is { } hash) Drop(hash);
        return isGone;
    }

    private async Task<byte[]?> FindAsync(string hash, CancellationToken cancellation)
    {
        try
        {
            var content = await File.ReadAllBytesAsync(PathOf(hash), cancellation).ConfigureAwait(false);
            if (ContentHash.Of(content) == hash)
            {
                Used(hash);
                return content;
            }
            Drop(hash);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            // not cached
        }
        catch (Exception error) when (IsOfFiles(error))
        {
            Report(error); // the inner store has it
        }
        return null;
    }

    private async Task KeepAsync(string hash, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        if (content.Length > bytes) return;
        try
        {
            Directory.CreateDirectory(folder);
            if (IsRoomDoubtful(content.Length)) MakeRoom(hash, content.Length);
            await AtomicFile.WriteAsync(PathOf(hash), content, overwrite: true, cancellation).ConfigureAwait(false);
            Used(hash);
        }
        catch (Exception error) when (IsOfFiles(error))
        {
            Report(error); // the next read asks the inner store again
        }
    }

    /// <summary>
    /// Whether the folder has to be looked at before so many bytes are written: what it held at the last look, and this process has
    /// written since, leaves no room for them, or others may have written since.
    /// </summary>
    private bool IsRoomDoubtful(long wanted)
    {
        lock (_gate)
        {
            if (_held is not { } held || held + wanted > bytes || time.GetElapsedTime(_looked) > LookInterval) return true;
            _held = held + wanted;
            return false;
        }
    }

    /// <summary>Removes the files that were used longest ago until so many bytes fit.</summary>
    private void MakeRoom(string hash, long wanted)
    {
        // Asked once: a file that another process removes meanwhile keeps its length and time here.
        var files = new DirectoryInfo(folder)
            .EnumerateFiles()
            .Where(file => file.Exists && file.Name != hash)
            .OrderBy(file => file.LastWriteTimeUtc)
            .ToList();
        var held = files.Sum(file => file.Length);
        foreach (var file in files)
        {
            if (file.Name.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal))
            {
                if (file.LastWriteTimeUtc > time.GetUtcNow().UtcDateTime - LeftBehind) continue; // another process is writing it
            }
            else if (held + wanted <= bytes)
            {
                continue;
            }
            held -= file.Length; // before it is deleted: afterwards the length would be read again
            file.Delete();
        }
        lock (_gate)
        {
            _held = held + wanted;
            _looked = time.GetTimestamp();
        }
    }

    private void Used(string hash) => File.SetLastWriteTimeUtc(PathOf(hash), time.GetUtcNow().UtcDateTime);

    private void Drop(string hash)
    {
        try
        {
            File.Delete(PathOf(hash));
        }
        catch (Exception error) when (IsOfFiles(error))
        {
            Report(error); // it stays; its hash is checked at every read
        }
    }

    private void Report(Exception error)
    {
        var failure = $"{error.GetType().Name} {error.HResult}";
        if (failure == _lastFailure) return;
        _lastFailure = failure;
        LogFailed(error, folder);
    }

    [LoggerMessage(LogLevel.Warning, "The cache in {Folder} can't be used; artefacts are read from the store instead.")]
    private partial void LogFailed(Exception error, string folder);

    private string PathOf(string hash) => Path.Combine(folder, hash);

    private static bool IsOfFiles(Exception error) => error is IOException or UnauthorizedAccessException;

    private static string? HashIn(string name) => Artefact().Match(name) is { Success: true } match ? match.Groups[1].Value : null;

    [GeneratedRegex($@"\A{ArtefactStore.Prefix}([0-9a-f]{{64}})\z")]
    private static partial Regex Artefact();
}
