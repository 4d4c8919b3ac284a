using MedMerge.Grains;
using MedMerge.Storage;

namespace MedMerge.Gateway.Connections;

/// <summary>The cluster's object store: the folder <c>Store:Folder</c>, or the blob service of <c>ConnectionStrings__blobs</c>.</summary>
internal sealed class StoreConnection(IConfiguration configuration, TimeProvider time, ILogger<StoreConnection> logger)
    : Connection<IObjectStore>("The store", time, logger)
{
    /// <inheritdoc />
    protected override Task<IObjectStore> OpenAsync(CancellationToken cancellation) =>
        ObjectStores.OpenAsync(GetFolder(configuration), GetConnection(configuration), beforeWrite: null, cancellation);

    /// <summary>Checks the settings.</summary>
    /// <exception cref="InputException">There is no store, or its connection can't be understood.</exception>
    public static void Check(IConfiguration configuration) =>
        ObjectStores.Check(GetFolder(configuration), GetConnection(configuration));

    private static string? GetFolder(IConfiguration configuration) => configuration["Store:Folder"];

    private static string? GetConnection(IConfiguration configuration) => configuration.GetConnectionString(ClusterNames.Blobs);
}

/// <summary>The store as the rest of the process knows it, whether it is open yet or not.</summary>
internal sealed class ConnectedStore(StoreConnection connection) : IObjectStore
{
    public Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation) =>
        connection.Opened.ReadAsync(name, cancellation);

    public Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation) =>
        connection.Opened.GetPropertiesAsync(name, cancellation);

    public Task WriteAsync(string name, Stream content, CancellationToken cancellation) =>
        connection.Opened.WriteAsync(name, content, cancellation);

    public Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        connection.Opened.TryCreateAsync(name, content, cancellation);

    public Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation) =>
        connection.Opened.TryReplaceAsync(name, content, etag, cancellation);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellation) =>
        connection.Opened.ListAsync(prefix, cancellation);

    public Task DeleteAsync(string name, CancellationToken cancellation) => connection.Opened.DeleteAsync(name, cancellation);

    public Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation) =>
        connection.Opened.TryDeleteAsync(listed, cancellation);
}
