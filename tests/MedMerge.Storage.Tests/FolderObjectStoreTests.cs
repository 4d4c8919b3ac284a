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
        var names = new List<string>();
        await foreach (var found in Store.ListAsync("", cancellation)) names.Add(found.Name);
        Assert.Equal(["a"], names);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_bad_input()
    {
        File.WriteAllText(Path.Combine(_folder, "file"), "");
        Assert.Contains("--store", Assert.Throws<InputException>(() => new FolderObjectStore(Path.Combine(_folder, "file", "store"))).Message, StringComparison.Ordinal);
    }
}
