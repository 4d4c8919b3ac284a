using Azure.Storage.Blobs;

namespace MedMerge.Storage;

/// <summary>
/// Chooses the object store of a process: a folder that is asked for by name, otherwise the blob service of <see cref="ConnectionVariable"/>, otherwise
/// the folder <see cref="DefaultFolder"/>.
/// </summary>
public static class ObjectStores
{
    /// <summary>The environment variable that names a blob service, as an app host injects it.</summary>
    public const string ConnectionVariable = "ConnectionStrings__blobs";

    /// <summary>In the current folder.</summary>
    public const string DefaultFolder = ".medmerge";

    private static string? Connection => Environment.GetEnvironmentVariable(ConnectionVariable) is { Length: > 0 } connection ? connection : null;

    /// <summary>The folder that is used; null where it is the blob service.</summary>
    /// <param name="asked">The folder that is asked for; null for none.</param>
    public static string? FolderOf(string? asked) => asked ?? (Connection is null ? DefaultFolder : null);

    /// <summary>Opens it; a folder or container is made where it is missing.</summary>
    /// <inheritdoc cref="OpenExistingAsync" />
    public static Task<IObjectStore> OpenAsync(string? asked, CancellationToken cancellation) => OpenAsync(asked, folder => new FolderObjectStore(folder), AzureBlobStore.OpenAsync, cancellation);

    /// <summary>Opens it for looking after what is there: nothing is made, and it need not be writable.</summary>
    /// <param name="asked">The folder that is asked for; null for none.</param>
    /// <exception cref="InputException">It can't be opened, or there is none.</exception>
    public static Task<IObjectStore> OpenExistingAsync(string? asked, CancellationToken cancellation) => OpenAsync(asked, FolderObjectStore.Existing, AzureBlobStore.OpenExistingAsync, cancellation);

    private static async Task<IObjectStore> OpenAsync(
        string? asked, Func<string, FolderObjectStore> openFolder, Func<string, string, BlobClientOptions?, CancellationToken, Task<AzureBlobStore>> openBlobs, CancellationToken cancellation) =>
        FolderOf(asked) is { } folder ? openFolder(folder) : await openBlobs(Connection!, AzureBlobStore.DefaultContainer, null, cancellation).ConfigureAwait(false);
}
