using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Sas;
using MedMerge.Testing;

namespace MedMerge.Storage.Tests;

public sealed class AzureBlobStoreTests(AzuriteServer azurite) : ObjectStoreConformance, IAsyncLifetime
{
    private AzureBlobStore? _store;

    protected override IObjectStore Store => _store!;

    public async ValueTask InitializeAsync() => _store = await azurite.OpenAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("nonsense", "can't be understood")]
    [InlineData("DefaultEndpointsProtocol=http;AccountName=a;AccountKey=bm9rZXk=;BlobEndpoint=http://127.0.0.1:9/a;", "can't be used")]
    public async Task A_service_that_is_not_there_is_told_clearly(string connection, string reason)
    {
        var options = AzuriteServer.Options();
        options.Retry.MaxRetries = 1;
        var error = await Assert.ThrowsAnyAsync<InputException>(() => AzureBlobStore.OpenAsync(connection, "c", options, Cancellation));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_only_looks_makes_no_container()
    {
        var connection = AzuriteServer.ConnectionString(azurite.Address);
        var name = "test-" + Guid.NewGuid().ToString("N");
        Assert.Null(await AzureBlobStore.FindAsync(connection, name, AzuriteServer.Options(), Cancellation));
        // The first look has made none either.
        Assert.Null(await AzureBlobStore.FindAsync(connection, name, AzuriteServer.Options(), Cancellation));
        await AzureBlobStore.OpenAsync(connection, name, AzuriteServer.Options(), Cancellation);
        Assert.NotNull(await AzureBlobStore.FindAsync(connection, name, AzuriteServer.Options(), Cancellation));
    }

    /// <summary>A store's user need not be allowed to make containers, nor to ask for their properties.</summary>
    [Fact]
    public async Task The_right_to_read_and_list_is_enough_to_look()
    {
        var service = new BlobServiceClient(AzuriteServer.ConnectionString(azurite.Address), AzuriteServer.Options());
        var container = service.GetBlobContainerClient("test-" + Guid.NewGuid().ToString("N"));
        await container.CreateAsync(cancellationToken: Cancellation);
        const BlobContainerSasPermissions ReadAndList = BlobContainerSasPermissions.Read | BlobContainerSasPermissions.List;
        var token = container.GenerateSasUri(ReadAndList, DateTimeOffset.UtcNow.AddHours(1)).Query[1..];
        var connection = $"BlobEndpoint={service.Uri.GetLeftPart(UriPartial.Path)};SharedAccessSignature={token}";
        var store =
            await AzureBlobStore.FindAsync(connection, container.Name, AzuriteServer.Options(), Cancellation);
        Assert.Empty((await StoreMaintenance.VerifyAsync(store!, Cancellation)).Damaged);
    }

    [Fact]
    public async Task A_wrong_key_is_told_clearly()
    {
        var connection = AzuriteServer.ConnectionString(azurite.Address).Replace("Eby8", "AAAA", StringComparison.Ordinal);
        var options = AzuriteServer.Options();
        var error =
            await Assert.ThrowsAsync<StoreUnavailableException>(() => AzureBlobStore.OpenAsync(connection, "c", options, Cancellation));
        Assert.Contains("can't be used", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_its_container_nothing_is_read_or_written_in_silence()
    {
        var service = new BlobServiceClient(AzuriteServer.ConnectionString(azurite.Address), AzuriteServer.Options());
        var container = service.GetBlobContainerClient("test-" + Guid.NewGuid().ToString("N"));
        var store = await AzureBlobStore.OpenAsync(
            AzuriteServer.ConnectionString(azurite.Address), container.Name, AzuriteServer.Options(), Cancellation);
        await store.TryCreateAsync("a", new byte[] { 1 }, Cancellation);
        await container.DeleteAsync(cancellationToken: Cancellation);

        await Assert.ThrowsAsync<RequestFailedException>(() => store.ReadAsync("a", Cancellation));
        await Assert.ThrowsAsync<RequestFailedException>(() => store.TryCreateAsync("b", new byte[] { 1 }, Cancellation));
        await Assert.ThrowsAsync<RequestFailedException>(() => store.TryReplaceAsync("a", new byte[] { 1 }, "\"0\"", Cancellation));
    }
}
