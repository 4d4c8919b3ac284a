namespace MedMerge.Storage;

/// <summary>Chooses the object store of a process.</summary>
public static class ObjectStores
{
    /// <summary>The environment variable that names a blob service, as an app host injects it.</summary>
    public const string ConnectionVariable = "ConnectionStrings__blobs";

    /// <summary>Whether <see cref="ConnectionVariable"/> names a service.</summary>
    public static bool IsService => Environment.GetEnvironmentVariable(ConnectionVariable) is { Length: > 0 };

    /// <summary>The blob service of <see cref="ConnectionVariable"/> where it is set, otherwise a folder.</summary>
    /// <param name="folder">Made where it is missing.</param>
    /// <exception cref="InputException">It can't be opened.</exception>
    public static Task<IObjectStore> OpenAsync(string folder, CancellationToken cancellation) => OpenAsync(() => new FolderObjectStore(folder), cancellation);

    /// <summary>As <see cref="OpenAsync(string, CancellationToken)"/>, for looking after what is there: a folder is not made, and need not be writable.</summary>
    /// <exception cref="InputException">It can't be opened, or there is no such folder.</exception>
    public static Task<IObjectStore> OpenExistingAsync(string folder, CancellationToken cancellation) => OpenAsync(() => FolderObjectStore.Existing(folder), cancellation);

    private static async Task<IObjectStore> OpenAsync(Func<FolderObjectStore> folder, CancellationToken cancellation) =>
        Environment.GetEnvironmentVariable(ConnectionVariable) is { Length: > 0 } connection
            ? await AzureBlobStore.OpenAsync(connection, AzureBlobStore.DefaultContainer, options: null, cancellation).ConfigureAwait(false)
            : folder();
}
