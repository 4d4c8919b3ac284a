namespace MedMerge.Storage.Tests;

public sealed class ArtefactStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-artefacts-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A gateway's client uploads what is missing; nothing reads the file to tell it that one is damaged.</summary>
    [Fact]
    public async Task A_damaged_artefact_counts_as_missing_once_somebody_has_read_it_for_use()
    {
        var artefacts = new ArtefactStore(new FolderObjectStore(_folder));
        var hash = await artefacts.WriteAsync(new byte[] { 1, 2, 3 }, Cancellation);
        Assert.Equal(3, await artefacts.FindLengthAsync(hash, Cancellation));
        await File.WriteAllBytesAsync(Path.Combine(_folder, "artefacts", hash), [1, 2, 9], Cancellation);

        Assert.Null(await artefacts.ReadAsync(hash, Cancellation));
        Assert.Equal(3, await artefacts.FindLengthAsync(hash, Cancellation));
        Assert.Null(await artefacts.RenewAsync(hash, Cancellation));

        Assert.Null(await artefacts.FindLengthAsync(hash, Cancellation));
        using var content = new MemoryStream([1, 2, 3]);
        await artefacts.WriteAsync(hash, content, Cancellation);
        Assert.Equal([1, 2, 3], await artefacts.ReadAsync(hash, Cancellation));
    }
}
