namespace MedMerge.Storage.Tests;

public sealed class StoreIdentityTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-identity-").FullName;
    private readonly FolderObjectStore _store;

    public StoreIdentityTests() => _store = new FolderObjectStore(_folder);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task All_who_ask_at_once_get_the_same_and_another_store_has_another()
    {
        Assert.Null(await StoreIdentity.FindAsync(_store, Cancellation));
        var found = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => StoreIdentity.EnsureAsync(_store, Cancellation)));
        Assert.Single(found.Distinct());
        Assert.Equal(found[0], await StoreIdentity.FindAsync(_store, Cancellation));
        var other = new FolderObjectStore(Path.Combine(_folder, "other"));
        Assert.NotEqual(found[0], await StoreIdentity.EnsureAsync(other, Cancellation));
    }

    [Fact]
    public async Task A_store_that_was_emptied_gets_back_what_it_was()
    {
        var known = await StoreIdentity.EnsureAsync(_store, Cancellation);
        await _store.DeleteAsync(StoreIdentity.ObjectName, Cancellation);
        Assert.Equal(known, await StoreIdentity.EnsureAsync(_store, Cancellation, known));
        Assert.Equal(known, await StoreIdentity.EnsureAsync(_store, Cancellation, known: "another"));
    }

    [Fact]
    public async Task A_damaged_one_is_no_identity()
    {
        await _store.TryCreateAsync(StoreIdentity.ObjectName, "{"u8.ToArray(), Cancellation);
        await Assert.ThrowsAsync<InvalidDataException>(() => StoreIdentity.EnsureAsync(_store, Cancellation));
    }
}
