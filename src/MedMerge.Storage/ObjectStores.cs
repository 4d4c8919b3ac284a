namespace MedMerge.Storage;

/// <summary>Chooses the object store of a process.</summary>
public static class ObjectStores
{
    /// <summary>The environment variable that names a blob service, as an app host injects it.</summary>
    public const string ConnectionVariable = "ConnectionStrings__blobs";

    /// <summary>Whether <see cref="ConnectionVariable"/> names a service.</summary>
    public static bool IsService => Environment.GetEnvironmentVariable(ConnectionVariable) is { Length: > 0 };

    /// <summary>The blob service of <see cref="ConnectionVariable"/> where it is set, otherwise a folder.</summary>
    /// <exception cref="InputException">It can't be opened.</exception>
    public static async Task<IObjectStore> OpenAsync(string folder, CancellationToken cancellation) =>
        Environment.GetEnvironmentVariable(ConnectionVariable) is { Length: > 0 } connection
            ? await AzureBlobStore.OpenAsync(connection, AzureBlobStore.DefaultContainer, options: null, cancellation).ConfigureAwait(false)
            : new FolderObjectStore(folder);
}
