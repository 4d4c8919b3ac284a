namespace MedMerge.Storage;

/// <summary>
/// Chooses the object store of the command: a folder that is asked for by name, otherwise the blob service of
/// <see cref="ConnectionVariable"/>, otherwise the folder <see cref="DefaultFolder"/>. A process of a cluster has no
/// default: another folder on each machine would be another store.
/// </summary>
public static class ObjectStores
{
    /// <summary>The environment variable that names a blob service, as an app host injects it.</summary>
    public const string ConnectionVariable = "ConnectionStrings__blobs";

    /// <summary>In the current folder.</summary>
    public const string DefaultFolder = ".medmerge";

    private static string? Connection =>
        Environment.GetEnvironmentVariable(ConnectionVariable) is { Length: > 0 } connection ? connection : null;

    /// <summary>The folder that is used; null where it is the blob service.</summary>
    /// <param name="asked">The folder that is asked for; null for none.</param>
    public static string? FolderOf(string? asked) => asked ?? (Connection is null ? DefaultFolder : null);

    /// <summary>Opens it; a folder or container is made where it is missing.</summary>
    /// <inheritdoc cref="FindAsync" />
    public static Task<IObjectStore> OpenAsync(string? asked, CancellationToken cancellation) =>
        OpenAsync(FolderOf(asked), Connection, beforeWrite: null, cancellation);

    /// <summary>Checks the settings of a cluster's process, without reaching the store.</summary>
    /// <param name="folder"><c>Store__Folder</c>; null or empty for none.</param>
    /// <param name="connection"><c>ConnectionStrings__blobs</c>; null or empty for none.</param>
    /// <exception cref="InputException">There is neither, or the connection can't be understood.</exception>
    public static void Check(string? folder, string? connection)
    {
        if (!string.IsNullOrEmpty(folder)) return;
        if (string.IsNullOrEmpty(connection))
        {
            throw new InputException(
                $"No store is configured: set {ConnectionVariable} to the storage account that all processes of the cluster use, "
                + "or Store__Folder to a folder that they share. See docs/operations.md.");
        }
        AzureBlobStore.Check(connection);
    }

    /// <summary>Opens the store of a cluster's process; a folder or container is made where it is missing.</summary>
    /// <param name="beforeWrite">Called before every request that changes the blob service, retries included; may throw.</param>
    /// <inheritdoc cref="Check" />
    public static async Task<IObjectStore> OpenAsync(
        string? folder,
        string? connection,
        Action? beforeWrite,
        CancellationToken cancellation)
    {
        Check(folder, connection);
        if (!string.IsNullOrEmpty(folder)) return new FolderObjectStore(folder);
        var options = AzureBlobStore.CreateOptions(beforeWrite);
        const string Container = AzureBlobStore.DefaultContainer;
        return await AzureBlobStore.OpenAsync(connection!, Container, options, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Opens it for looking at what is there, or gives null where there is none: nothing is made, and it need not be
    /// writable.
    /// </summary>
    /// <param name="asked">The folder that is asked for; null for none.</param>
    /// <exception cref="InputException">It can't be opened.</exception>
    public static async Task<IObjectStore?> FindAsync(string? asked, CancellationToken cancellation)
    {
        if (FolderOf(asked) is { } folder) return Directory.Exists(folder) ? FolderObjectStore.Existing(folder) : null;
        const string Container = AzureBlobStore.DefaultContainer;
        return await AzureBlobStore.FindAsync(Connection!, Container, options: null, cancellation).ConfigureAwait(false);
    }

    /// <summary>As <see cref="FindAsync"/>, for what makes no sense without a store.</summary>
    /// <exception cref="InputException">It can't be opened, or there is none.</exception>
    public static async Task<IObjectStore> OpenExistingAsync(string? asked, CancellationToken cancellation)
    {
        if (FolderOf(asked) is { } folder) return FolderObjectStore.Existing(folder);
        return await FindAsync(asked, cancellation).ConfigureAwait(false)
            ?? throw new InputException($"There is no container where {ConnectionVariable} points to.");
    }
}
