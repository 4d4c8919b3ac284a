namespace MedMerge.Storage.Tests;

public sealed class AzureBlobStoreTests(AzuriteServer azurite) : ObjectStoreConformance, IAsyncLifetime
{
    private AzureBlobStore? _store;

    protected override IObjectStore Store => _store!;

    public async ValueTask InitializeAsync() => _store = await azurite.OpenAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("nonsense", "can't be understood")]
    [InlineData("DefaultEndpointsProtocol=http;AccountName=a;AccountKey=bm9rZXk=;BlobEndpoint=http://127.0.0.1:9/a;", "can't be used")]
    public async Task A_service_that_is_not_there_is_told_clearly(string connection, string reason)
    {
        var options = AzuriteServer.Options();
        options.Retry.MaxRetries = 1;
        var error = await Assert.ThrowsAsync<InputException>(() => AzureBlobStore.OpenAsync(connection, "c", options, TestContext.Current.CancellationToken));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_key_is_told_clearly()
    {
        var connection = AzuriteServer.ConnectionString(azurite.Address).Replace("Eby8", "AAAA", StringComparison.Ordinal);
        var error = await Assert.ThrowsAsync<InputException>(() => AzureBlobStore.OpenAsync(connection, "c", AzuriteServer.Options(), TestContext.Current.CancellationToken));
        Assert.Contains("can't be used", error.Message, StringComparison.Ordinal);
    }
}
