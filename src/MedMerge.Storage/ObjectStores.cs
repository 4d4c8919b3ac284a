namespace MedMerge.Storage;

/// <summary>
/// Chooses the object store of a process: a folder that is asked for by name, otherwise the blob service of
/// <see cref="ConnectionVariable"/>, otherwise the folder <see cref="DefaultFolder"/>.
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
    public static async Task<IObjectStore> OpenAsync(string? asked, CancellationToken cancellation)
    {
        if (FolderOf(asked) is { } folder) return new FolderObjectStore(folder);
        const string Container = AzureBlobStore.DefaultContainer;
        return await AzureBlobStore.OpenAsync(Connection!, Container, options: null, cancellation).ConfigureAwait(false);
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
