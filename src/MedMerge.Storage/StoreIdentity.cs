namespace MedMerge.Storage;

/// <summary>
/// A store's identity: an object that the first process of a cluster writes once. By it nodes and gateways notice that
/// they use another store than their cluster does.
/// </summary>
public static class StoreIdentity
{
    /// <summary>The object's name.</summary>
    public const string ObjectName = "identity";

    private const string Kind = "identity";

    /// <summary>The identity, or null where the store has none yet.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static async Task<string?> FindAsync(IObjectStore objects, CancellationToken cancellation)
    {
        var (body, etag) = await Manifest.ReadAsync<Body>(objects, ObjectName, Kind, cancellation).ConfigureAwait(false);
        if (etag is null) return null;
        return body?.Id ?? throw new InvalidDataException(
            $"The store's object '{ObjectName}' is damaged. Remove it and restart all nodes and gateways: they write another.");
    }

    /// <summary>The identity, which is written where it is missing.</summary>
    /// <param name="known">What it was when this process started, for a store that was emptied since; null to draw one.</param>
    public static async Task<string> EnsureAsync(IObjectStore objects, CancellationToken cancellation, string? known = null)
    {
        if (await FindAsync(objects, cancellation).ConfigureAwait(false) is { } found) return found;
        var id = known ?? Guid.NewGuid().ToString("N");
        await objects.TryCreateAsync(ObjectName, Manifest.Write(Kind, id, new Body(id)), cancellation).ConfigureAwait(false);
        return await FindAsync(objects, cancellation).ConfigureAwait(false)
            ?? throw new IOException("The store's identity was written and is not there: is the store being removed?");
    }

    private sealed record Body(string Id);
}
