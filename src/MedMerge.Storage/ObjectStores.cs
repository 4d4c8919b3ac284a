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

    /// <summary>Opens it; a folder is made where it is missing.</summary>
    /// <inheritdoc cref="OpenExistingAsync" />
    public static Task<IObjectStore> OpenAsync(string? asked, CancellationToken cancellation) => OpenAsync(asked, folder => new FolderObjectStore(folder), cancellation);

    /// <summary>Opens it for looking after what is there: a folder is not made, and need not be writable.</summary>
    /// <param name="asked">The folder that is asked for; null for none.</param>
    /// <exception cref="InputException">It can't be opened, or there is no such folder.</exception>
    public static Task<IObjectStore> OpenExistingAsync(string? asked, CancellationToken cancellation) => OpenAsync(asked, FolderObjectStore.Existing, cancellation);

    private static async Task<IObjectStore> OpenAsync(string? asked, Func<string, FolderObjectStore> open, CancellationToken cancellation) =>
        FolderOf(asked) is { } folder ? open(folder) : await AzureBlobStore.OpenAsync(Connection!, AzureBlobStore.DefaultContainer, options: null, cancellation).ConfigureAwait(false);
}
