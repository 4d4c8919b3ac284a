namespace MedMerge.Storage;

/// <summary>
/// A connection to a storage account, as <c>ConnectionStrings__blobs</c> names it: a connection string, or the
/// account's blob address, for which the environment's identity is used. An app host may add
/// <c>;ContainerName=NAME</c>, which the SDK does not know.
/// </summary>
/// <param name="ConnectionString">Without the container; an address where <see cref="Address"/> is set.</param>
/// <param name="Container">The container that the connection names; null for none.</param>
public sealed record StorageConnection(string ConnectionString, string? Container)
{
    private const string ContainerKey = "ContainerName=";
    private const string EndpointKey = "Endpoint=";

    /// <summary>The account's blob address; null for a connection string.</summary>
    public Uri? Address =>
        Uri.TryCreate(ConnectionString, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" ? address : null;

    /// <summary>Takes the container out of a connection.</summary>
    public static StorageConnection Parse(string connection)
    {
        var parts = connection.Split(';', StringSplitOptions.RemoveEmptyEntries).ToList();
        if (parts.Find(part => part.StartsWith(ContainerKey, StringComparison.OrdinalIgnoreCase)) is not { } container)
            return new StorageConnection(connection, null);
        parts.Remove(container);
        // What remains of an account's address is `Endpoint=https://…`.
        var rest = parts is [{ } only] && only.StartsWith(EndpointKey, StringComparison.OrdinalIgnoreCase)
            ? only[EndpointKey.Length..]
            : string.Join(';', parts);
        return new StorageConnection(rest, container[ContainerKey.Length..]);
    }
}
