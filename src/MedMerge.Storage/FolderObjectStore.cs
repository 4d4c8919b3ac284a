using System.Runtime.CompilerServices;

namespace MedMerge.Storage;

/// <summary>
/// Objects as files below a folder; an object's ETag is its content's hash. Several processes may use one folder.
/// </summary>
public sealed class FolderObjectStore : IObjectStore
{
    /// <summary>Holds the lock files: so many that two objects hardly wait for each other, so few that they may stay.</summary>
    private const string LockFolder = ".locks";

    /// <summary>What older versions held for any object.</summary>
    private const string OlderLock = ".lock";
    private static readonly TimeSpan LockDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(10);
    private readonly string _root;
    private readonly TimeProvider _time;

    /// <param name="root">Made where it is missing, and tried.</param>
    /// <exception cref="InputException">The folder can't be made or written to.</exception>
    public FolderObjectStore(string root) : this(root, TimeProvider.System)
    {
        try
        {
            AtomicFile.TryFolder(_root);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The store '{root}' can't be written to: {error.Message} Name another folder with --store.", error);
        }
    }

    private FolderObjectStore(string root, TimeProvider time)
    {
        _root = root.Length == 0 ? throw Missing(root) : Path.GetFullPath(root);
        _time = time;
    }

    /// <summary>
    /// A store that is there already; opening it writes nothing, so the right to read is enough for reading.
    /// </summary>
    /// <exception cref="InputException">There is no such folder.</exception>
    public static FolderObjectStore Existing(string root) =>
        Directory.Exists(root) ? new FolderObjectStore(root, TimeProvider.System) : throw Missing(root);

    /// <summary>The folder, as a full path.</summary>
    public string Root => _root;

    /// <inheritdoc />
    public async Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation)
    {
        try
        {
            var path = PathOf(name);
            var modified = File.GetLastWriteTimeUtc(path); // before the content: a write in between makes it look older, never newer
            var content = await File.ReadAllBytesAsync(path, cancellation).ConfigureAwait(false);
            return new StoredObject(content, ContentHash.Of(content)) { Modified = modified };
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <inheritdoc />
    public Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation)
    {
        var file = new FileInfo(PathOf(name));
        return Task.FromResult(file.Exists ? new ObjectProperties(file.Length) : null);
    }

    /// <inheritdoc />
    public async Task WriteAsync(string name, Stream content, CancellationToken cancellation)
    {
        var held = await LockAsync(name, cancellation).ConfigureAwait(false); // so that a clean-up does not remove what was just replaced
        await using (held.ConfigureAwait(false))
        {
            content.Position = 0;
            await AtomicFile.WriteAsync(PathOf(name), content, overwrite: true, cancellation).ConfigureAwait(false);
        }
    }

    /// <inheritdoc />
    public async Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        await AtomicFile.WriteAsync(PathOf(name), content, overwrite: false, cancellation).ConfigureAwait(false)
            ? ContentHash.Of(content.Span)
            : null;

    /// <inheritdoc />
    public async Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation)
    {
        var held = await LockAsync(name, cancellation).ConfigureAwait(false);
        await using (held.ConfigureAwait(false))
        {
            var current = await ReadAsync(name, cancellation).ConfigureAwait(false);
            if (current?.ETag != etag) return null;
            await AtomicFile.WriteAsync(PathOf(name), content, overwrite: true, cancellation).ConfigureAwait(false);
            return ContentHash.Of(content.Span);
        }
    }

    /// <inheritdoc />
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var folder = FolderOf(prefix);
        if (folder is null || !Directory.Exists(folder)) yield break;
        var names = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(_root, path).Replace(Path.DirectorySeparatorChar, '/'))
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal) && IsObject(name))
            .Order(StringComparer.Ordinal);
        foreach (var name in names)
        {
            cancellation.ThrowIfCancellationRequested();
            var file = new FileInfo(Path.Combine(_root, name));
            if (file.Exists) yield return new ObjectInfo(name, file.LastWriteTimeUtc) { Length = file.Length };
        }
        await Task.CompletedTask.ConfigureAwait(false);
    }

    /// <inheritdoc />
    public Task DeleteAsync(string name, CancellationToken cancellation)
    {
        var path = PathOf(name);
        if (File.Exists(path)) File.Delete(path);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public async Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation)
    {
        var held = await LockAsync(listed.Name, cancellation).ConfigureAwait(false);
        await using (held.ConfigureAwait(false))
        {
            var path = PathOf(listed.Name);
            if (File.Exists(path) && File.GetLastWriteTimeUtc(path) > listed.Modified) return false;
            await DeleteAsync(listed.Name, cancellation).ConfigureAwait(false);
            return true;
        }
    }

    private static bool IsObject(string name) =>
        !name.StartsWith(LockFolder + "/", StringComparison.Ordinal)
        && name != OlderLock
        && !name.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal);

    private static InputException Missing(string root) => new($"There is no store '{root}'. Name its folder with --store.");

    private string PathOf(string name) => Path.Combine(_root, ObjectName.Checked(name).Replace('/', Path.DirectorySeparatorChar));

    /// <summary>
    /// The deepest folder that a prefix names, so that a listing costs what it lists and not what the store holds; null
    /// where no object's name can start so.
    /// </summary>
    private string? FolderOf(string prefix)
    {
        var end = prefix.LastIndexOf('/');
        if (end < 0) return _root;
        return ObjectName.IsOne(prefix[..end]) ? PathOf(prefix[..end]) : null;
    }

    /// <summary>The file that is held while an object is replaced or removed.</summary>
    internal string LockPathOf(string name) => Path.Combine(_root, LockFolder, ContentHash.Of(name)[..2]);

    /// <summary>
    /// One replacement of an object at a time, over all processes: the operating system frees the lock of one that dies.
    /// </summary>
    private async Task<FileStream> LockAsync(string name, CancellationToken cancellation)
    {
        var path = LockPathOf(name);
        var start = _time.GetTimestamp();
        while (true)
        {
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException error) when (DiskException.IsReason(error))
            {
                throw DiskException.Of(path, error); // waiting does not help
            }
            catch (IOException) when (_time.GetElapsedTime(start) < LockDeadline)
            {
                await Task.Delay(LockPause, _time, cancellation).ConfigureAwait(false);
            }
        }
    }
}
