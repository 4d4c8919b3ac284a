namespace MedMerge.Storage.Tests;

public sealed class FolderObjectStoreTests : ObjectStoreConformance, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-store-").FullName;

    public FolderObjectStoreTests() => Store = new FolderObjectStore(_folder);

    protected override IObjectStore Store { get; }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_a_crash_leaves_half_written_is_not_seen()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await Store.TryCreateAsync("a", new byte[] { 1 }, cancellation);
        await File.WriteAllBytesAsync(Path.Combine(_folder, "b.0123" + AtomicFile.TemporarySuffix), [1, 2], cancellation);
        Assert.Equal(["a"], await NamesAsync(""));
    }

    /// <summary>Each pair of writers meets at the same name as closely as threads allow.</summary>
    [Fact]
    public async Task Of_two_writers_of_a_name_exactly_one_creates_it()
    {
        var cancellation = TestContext.Current.CancellationToken;
        for (var round = 0; round < 200; round++)
        {
            using var together = new Barrier(2);
            var writers = Enumerable.Range(0, 2).Select(writer => Task.Run(async () =>
            {
                together.SignalAndWait(cancellation);
                return await Store.TryCreateAsync($"n/{round}", new[] { (byte)writer }, cancellation);
            }, cancellation));
            var won = Assert.Single((await Task.WhenAll(writers)).OfType<string>());
            Assert.Equal(won, (await Store.ReadAsync($"n/{round}", cancellation))!.ETag);
        }
    }

    [Fact]
    public async Task A_listing_looks_into_no_folder_beside_its_prefix()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await Store.TryCreateAsync("s/a", new byte[] { 1 }, cancellation);
        Directory.CreateDirectory(Path.Combine(_folder, "t"));
        foreach (var loop in new[] { "loop", "pool" })
            Directory.CreateSymbolicLink(Path.Combine(_folder, "t", loop), "."); // who walks in walks forever
        Assert.Equal(["s/a"], await Task.Run(() => NamesAsync("s/"), cancellation).WaitAsync(TimeSpan.FromSeconds(30), cancellation));
    }

    [Theory]
    [InlineData("../")]
    [InlineData("s/../")]
    [InlineData("/")]
    [InlineData("./s/")]
    [InlineData("s//")]
    public async Task A_prefix_that_no_name_starts_with_finds_nothing(string prefix)
    {
        await Store.TryCreateAsync("s/a", new byte[] { 1 }, TestContext.Current.CancellationToken);
        Assert.Empty(await NamesAsync(prefix));
    }

    [Fact]
    public async Task Another_process_that_replaces_an_object_holds_nobody_up_but_those_who_want_the_same()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var store = new FolderObjectStore(_folder);
        var etag = await store.TryCreateAsync("b", new byte[] { 1 }, cancellation);
        Assert.NotEqual(store.LockPathOf("a"), store.LockPathOf("b"));
        Directory.CreateDirectory(Path.GetDirectoryName(store.LockPathOf("a"))!);
        using var held = new FileStream(store.LockPathOf("a"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

        var other = new FolderObjectStore(_folder);
        Assert.NotNull(await other.TryReplaceAsync("b", new byte[] { 2 }, etag!, cancellation));
        var same = other.TryReplaceAsync("a", new byte[] { 2 }, "etag", cancellation);
        Assert.False(same.IsCompleted);
        held.Dispose();
        Assert.Null(await same);
        Assert.Equal(["b"], await NamesAsync("")); // locks are no objects
    }

    [Fact]
    public async Task The_right_to_read_is_enough_for_reading()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            Assert.Skip("Needs a user whom a folder's mode binds.");
            return; // the analyser of platforms does not know that Skip throws
        }
        var cancellation = TestContext.Current.CancellationToken;
        await Store.TryCreateAsync("a", new byte[] { 1 }, cancellation);
        File.SetUnixFileMode(_folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            Assert.Equal([1], (await FolderObjectStore.Existing(_folder).ReadAsync("a", cancellation))!.Content);
            var error = Assert.Throws<InputException>(() => new FolderObjectStore(_folder));
            Assert.Contains("can't be written to", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.SetUnixFileMode(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public void Looking_into_a_store_leaves_no_trace()
    {
        var before = Directory.GetLastWriteTimeUtc(_folder);
        _ = FolderObjectStore.Existing(_folder);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
        Assert.Equal(before, Directory.GetLastWriteTimeUtc(_folder));
        var error = Assert.Throws<InputException>(() => FolderObjectStore.Existing(Path.Combine(_folder, "other")));
        Assert.Contains("There is no store", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_bad_input()
    {
        File.WriteAllText(Path.Combine(_folder, "file"), "");
        var error = Assert.Throws<InputException>(() => new FolderObjectStore(Path.Combine(_folder, "file", "store")));
        Assert.Contains("--store", error.Message, StringComparison.Ordinal);
    }

    private async Task<List<string>> NamesAsync(string prefix)
    {
        var names = new List<string>();
        await foreach (var found in Store.ListAsync(prefix, TestContext.Current.CancellationToken)) names.Add(found.Name);
        return names;
    }
}
