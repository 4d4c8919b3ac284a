using MedMerge.Storage.Tests.Faults;
using MedMerge.Testing;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Storage.Tests;

/// <summary>
/// A cache is an object store like any other; beyond that it asks the inner store as seldom as it can.
/// </summary>
public sealed class ArtefactCacheTests : ObjectStoreConformance, IDisposable
{
    private const int Limit = 1000;
    private readonly string _root = Directory.CreateTempSubdirectory("medmerge-cache-").FullName;
    private readonly FolderObjectStore _folder;
    private readonly FaultyObjectStore _inner;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly RecordingLogger _log = new();
    private Fault _fault = Fault.None;

    public ArtefactCacheTests()
    {
        _folder = new FolderObjectStore(Path.Combine(_root, "store"));
        _inner = new FaultyObjectStore(_folder, (_, _) => _fault);
        Store = Cache();
    }

    protected override IObjectStore Store { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string CacheFolder => Path.Combine(_root, "cache");

    private ArtefactStore Artefacts => new(Store);

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task What_was_read_once_comes_without_asking_again()
    {
        var hash = await PutAsync(1);
        Assert.Equal(Content(1), await Artefacts.ReadAsync(hash, Cancellation));
        var asked = _inner.Calls;
        Assert.Equal(Content(1), await Artefacts.ReadAsync(hash, Cancellation));
        Assert.Equal(asked, _inner.Calls);
    }

    [Fact]
    public async Task What_was_written_comes_without_asking()
    {
        var hash = await Artefacts.WriteAsync(Content(1), Cancellation);
        Assert.Equal(1, _inner.Calls);
        Assert.Equal(Content(1), await Artefacts.ReadAsync(hash, Cancellation));
        Assert.Equal(1, _inner.Calls);
        Assert.Equal(Content(1), await new ArtefactStore(_folder).ReadAsync(hash, Cancellation));
    }

    [Fact]
    public async Task Everything_else_passes_through()
    {
        foreach (var name in new[] { "checkpoints/t/pointer", "artefacts/not-a-hash", "other/" + new string('a', 64) })
        {
            await _folder.TryCreateAsync(name, new byte[] { 1 }, Cancellation);
            var asked = _inner.Calls;
            await Store.ReadAsync(name, Cancellation);
            await Store.ReadAsync(name, Cancellation);
            Assert.Equal(asked + 2, _inner.Calls);
        }
        Assert.False(Directory.Exists(CacheFolder));
    }

    [Theory]
    [InlineData(Fault.BitFlipped)]
    [InlineData(Fault.BodyCut)]
    public async Task A_damaged_file_is_removed_and_fetched_again(Fault damage)
    {
        var hash = await PutAsync(1);
        await Artefacts.ReadAsync(hash, Cancellation);
        var file = Path.Combine(CacheFolder, hash);
        var content = await File.ReadAllBytesAsync(file, Cancellation);
        content[50] ^= 4;
        await File.WriteAllBytesAsync(file, damage == Fault.BodyCut ? content[..50] : content, Cancellation);

        var asked = _inner.Calls;
        Assert.Equal(Content(1), await Artefacts.ReadAsync(hash, Cancellation));
        Assert.Equal(asked + 1, _inner.Calls);
        Assert.Equal(Content(1), await File.ReadAllBytesAsync(file, Cancellation));

        content[50] ^= 8;
        await File.WriteAllBytesAsync(file, content, Cancellation);
        await _folder.DeleteAsync(ArtefactStore.Prefix + hash, Cancellation);
        Assert.Null(await Artefacts.ReadAsync(hash, Cancellation));
        Assert.False(File.Exists(file));
    }

    [Fact]
    public async Task What_comes_damaged_is_not_kept()
    {
        var hash = await PutAsync(1);
        _fault = Fault.BitFlipped;
        Assert.Null(await Artefacts.ReadAsync(hash, Cancellation));
        Assert.False(File.Exists(Path.Combine(CacheFolder, hash)));
        _fault = Fault.None;
        Assert.Equal(Content(1), await Artefacts.ReadAsync(hash, Cancellation));
    }

    [Fact]
    public async Task Writing_what_is_damaged_in_the_store_repairs_it_though_the_cache_has_it_whole()
    {
        var hash = await Artefacts.WriteAsync(Content(1), Cancellation);
        await File.WriteAllTextAsync(Path.Combine(_root, "store", "artefacts", hash), "damaged", Cancellation);
        await Artefacts.WriteAsync(Content(1), Cancellation);
        Assert.Equal(Content(1), await new ArtefactStore(_folder).ReadAsync(hash, Cancellation));
    }

    [Fact]
    public async Task What_was_used_longest_ago_makes_room()
    {
        var hashes = new List<string>();
        for (byte i = 0; i < 10; i++) hashes.Add(await ReadNewAsync(i)); // ten of a hundred bytes each: full
        Assert.Equal(hashes.Order(StringComparer.Ordinal), Kept());
        await UseAsync(hashes[0]);
        await UseAsync(hashes[2]);

        hashes.Add(await ReadNewAsync(10)); // 1 goes
        hashes.Add(await ReadNewAsync(11, size: 150)); // 3 and 4
        Assert.Equal(new[] { 0, 2, 5, 6, 7, 8, 9, 10, 11 }.Select(i => hashes[i]).Order(StringComparer.Ordinal), Kept());
        Assert.True(Held() <= Limit);
    }

    [Fact]
    public async Task What_is_larger_than_the_cache_is_not_kept_and_evicts_nothing()
    {
        var small = await ReadNewAsync(1);
        var large = await PutAsync(2, Limit + 1);
        Assert.Equal(Content(2, Limit + 1), await Artefacts.ReadAsync(large, Cancellation));
        Assert.Equal([small], Kept());
    }

    [Fact]
    public async Task Two_caches_share_a_folder_and_its_bound()
    {
        var other = new ArtefactStore(Cache());
        var hash = await PutAsync(1);
        await Artefacts.ReadAsync(hash, Cancellation);
        var asked = _inner.Calls;
        Assert.Equal(Content(1), await other.ReadAsync(hash, Cancellation));
        Assert.Equal(asked, _inner.Calls);

        var hashes = new List<string>();
        for (byte i = 10; i < 40; i++) hashes.Add(await PutAsync(i));
        await Task.WhenAll(hashes.Concat(hashes).Select((wanted, i) => Task.Run(async () =>
            Assert.NotNull(await (i % 2 == 0 ? other : Artefacts).ReadAsync(wanted, Cancellation)), Cancellation)));
        await ReadNewAsync(50); // whoever writes next puts the bound right
        Assert.True(Held() <= Limit);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_fails_no_read_and_no_write()
    {
        await File.WriteAllTextAsync(CacheFolder, "a file where the folder should be", Cancellation);
        var hash = await Artefacts.WriteAsync(Content(1), Cancellation);
        Assert.Equal(Content(1), await Artefacts.ReadAsync(hash, Cancellation));
        Assert.Equal(Content(1), await Artefacts.ReadAsync(hash, Cancellation));
        await Store.DeleteAsync(ArtefactStore.Prefix + hash, Cancellation);
        Assert.Null(await Artefacts.ReadAsync(hash, Cancellation));
    }

    [Fact]
    public async Task What_is_deleted_is_gone_from_the_cache_too()
    {
        var hash = await Artefacts.WriteAsync(Content(1), Cancellation);
        await Store.DeleteAsync(ArtefactStore.Prefix + hash, Cancellation);
        Assert.Null(await Artefacts.ReadAsync(hash, Cancellation));
    }

    [Fact]
    public async Task What_a_crash_left_half_written_goes_after_a_while()
    {
        Directory.CreateDirectory(CacheFolder);
        var left = Path.Combine(CacheFolder, "left" + AtomicFile.TemporarySuffix);
        await File.WriteAllBytesAsync(left, new byte[10], Cancellation);
        await ReadNewAsync(1);
        Assert.True(File.Exists(left)); // somebody may be at it
        _time.Advance(TimeSpan.FromHours(2));
        await ReadNewAsync(2);
        Assert.False(File.Exists(left));
        Assert.Equal(2, Kept().Count);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_used_is_logged_once()
    {
        var hashes = new[] { await PutAsync(1), await PutAsync(2) };
        await File.WriteAllTextAsync(CacheFolder, "in the way", Cancellation);
        foreach (var hash in hashes) Assert.NotNull(await Artefacts.ReadAsync(hash, Cancellation));
        var line = Assert.Single(_log.Lines);
        Assert.IsAssignableFrom<IOException>(line.Error);
        Assert.Contains(CacheFolder, line.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_cancels_a_read_gets_no_answer_and_leaves_nothing()
    {
        var hash = await PutAsync(1);
        using var cancel = new CancellationTokenSource();
        var cache = new ArtefactCache(
            new CancellingStore(_folder, cancel), CacheFolder, Limit, _time, _log.CreateLogger<ArtefactCache>());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cache.ReadAsync(ArtefactStore.Prefix + hash, cancel.Token));
        Assert.Empty(Directory.GetFiles(CacheFolder));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.ReadAsync(ArtefactStore.Prefix + hash, cancel.Token));
        Assert.Equal(Content(1), await Artefacts.ReadAsync(hash, Cancellation));
    }

    /// <summary>A write costs the same whatever the folder holds: it is looked at once a minute, or where its own files fill it.</summary>
    [Fact]
    public async Task A_folder_that_others_fill_is_looked_at_again_after_a_while()
    {
        await ReadNewAsync(1);
        var others = Path.Combine(CacheFolder, new string('f', 64));
        await File.WriteAllBytesAsync(others, new byte[10 * Limit], Cancellation);
        File.SetLastWriteTimeUtc(others, _time.GetUtcNow().UtcDateTime.AddDays(-1));
        await ReadNewAsync(2);
        Assert.True(File.Exists(others));

        _time.Advance(TimeSpan.FromMinutes(2));
        await ReadNewAsync(3);
        Assert.False(File.Exists(others));
    }

    private static byte[] Content(byte value, int size = 100) => [.. Enumerable.Repeat(value, size)];

    private ArtefactCache Cache() => new(_inner, CacheFolder, Limit, _time, _log.CreateLogger<ArtefactCache>());

    private Task<string> PutAsync(byte value, int size = 100) => new ArtefactStore(_folder).WriteAsync(Content(value, size), Cancellation);

    private async Task<string> ReadNewAsync(byte value, int size = 100)
    {
        var hash = await PutAsync(value, size);
        await UseAsync(hash);
        return hash;
    }

    private async Task UseAsync(string hash)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(await Artefacts.ReadAsync(hash, Cancellation));
    }

    private List<string> Kept() =>
        [.. Directory.GetFiles(CacheFolder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    private long Held() => new DirectoryInfo(CacheFolder).GetFiles().Sum(file => file.Length);

    /// <summary>Cancels as it answers, so that the caller is cancelled between fetching and keeping.</summary>
    private sealed class CancellingStore(IObjectStore inner, CancellationTokenSource cancel) : IObjectStore
    {
        public async Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation)
        {
            var stored = await inner.ReadAsync(name, cancellation);
            await cancel.CancelAsync();
            return stored;
        }

        public Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
            throw new NotSupportedException();

        public Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation) =>
            throw new NotSupportedException();

        public Task WriteAsync(string name, Stream content, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation) =>
            throw new NotSupportedException();

        public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellation) => throw new NotSupportedException();

        public Task DeleteAsync(string name, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation) =>
            throw new NotSupportedException();
    }
}
