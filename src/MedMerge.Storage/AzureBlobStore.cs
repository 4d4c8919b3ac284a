using System.Runtime.CompilerServices;
using System.Xml;
using Azure;
using Azure.Identity;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace MedMerge.Storage;

/// <summary>
/// Objects as block blobs of one container. Retries are the SDK's own; what it gives up on is thrown as it is.
/// </summary>
/// <param name="container">Exists already.</param>
public sealed class AzureBlobStore(BlobContainerClient container) : IObjectStore
{
    /// <summary>The container's name where a connection names none.</summary>
    public const string DefaultContainer = "medmerge";

    private const int Attempts = 5;
    private const string Md5Mismatch = "Md5Mismatch";

    /// <summary>The container's address, without what gives access to it.</summary>
    public string Address => container.Uri.GetLeftPart(UriPartial.Path);

    /// <summary>Opens the container of a connection, making it where it is missing.</summary>
    /// <inheritdoc cref="FindAsync" />
    public static async Task<AzureBlobStore> OpenAsync(
        string connection,
        string containerName,
        BlobClientOptions? options,
        CancellationToken cancellation) =>
        (await OpenAsync(connection, containerName, options, make: true, cancellation).ConfigureAwait(false))!;

    /// <summary>Opens a container that is there, or gives null; the right to read and list is enough.</summary>
    /// <param name="connection">A connection string, or an account's address, for which the environment's identity is
    /// used.</param>
    /// <exception cref="InputException">The connection can't be understood, or the service can't be reached or refuses;
    /// the message says which.</exception>
    public static Task<AzureBlobStore?> FindAsync(
        string connection,
        string containerName,
        BlobClientOptions? options,
        CancellationToken cancellation) =>
        OpenAsync(connection, containerName, options, make: false, cancellation);

    private static async Task<AzureBlobStore?> OpenAsync(
        string connection,
        string containerName,
        BlobClientOptions? options,
        bool make,
        CancellationToken cancellation)
    {
        try
        {
            options ??= DefaultOptions();
            var account = StorageConnection.Parse(connection);
            // The service refuses a body that was damaged in transit.
            options.TransferValidation.Upload.ChecksumAlgorithm = StorageChecksumAlgorithm.MD5;
            var service = account.Address is { } address
                ? new BlobServiceClient(address, new DefaultAzureCredential(), options)
                : new BlobServiceClient(account.ConnectionString, options);
            var container = service.GetBlobContainerClient(account.Container ?? containerName);
            var store = new AzureBlobStore(container);
            if (await store.IsThereAsync(cancellation).ConfigureAwait(false)) return store;
            if (!make) return null;
            await container.CreateIfNotExistsAsync(cancellationToken: cancellation).ConfigureAwait(false);
            return store;
        }
        catch (FormatException error)
        {
            var reason = $"The connection to the blob store can't be understood: {error.Message}";
            throw new InputException($"{reason} It is a connection string or an account's https address.", error);
        }
        catch (Exception error) when (error is RequestFailedException or AuthenticationFailedException or AggregateException)
        {
            var reason = $"The blob store can't be used: {FirstLine(error)}";
            throw new InputException($"{reason} Check ConnectionStrings__blobs and that the service runs.", error);
        }
    }

    /// <inheritdoc />
    public async Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation)
    {
        try
        {
            var download = await WithRetriesAsync(() => Blob(name).DownloadContentAsync(cancellation)).ConfigureAwait(false);
            return new StoredObject(download.Value.Content.ToArray(), download.Value.Details.ETag.ToString());
        }
        catch (RequestFailedException error) when (error.Status == 404)
        {
            return null;
        }
    }

    /// <inheritdoc />
    public Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        UploadAsync(name, content, new BlobRequestConditions { IfNoneMatch = ETag.All }, cancellation);

    /// <inheritdoc />
    public Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation) =>
        UploadAsync(name, content, new BlobRequestConditions { IfMatch = new ETag(etag) }, cancellation);

    /// <inheritdoc />
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string? next = null;
        do
        {
            var page = await PageAsync(prefix, next, cancellation).ConfigureAwait(false);
            foreach (var blob in page.Values)
                yield return new ObjectInfo(blob.Name, blob.Properties.LastModified ?? DateTimeOffset.MinValue);
            next = page.ContinuationToken;
        }
        while (!string.IsNullOrEmpty(next));
    }

    /// <inheritdoc />
    public async Task DeleteAsync(string name, CancellationToken cancellation) =>
        await WithRetriesAsync(() => Blob(name).DeleteIfExistsAsync(cancellationToken: cancellation)).ConfigureAwait(false);

    /// <summary>
    /// Whether the container exists. By listing, for which the rights of a store's user are enough: reading a
    /// container's properties, or creating one that exists, takes more.
    /// </summary>
    private async Task<bool> IsThereAsync(CancellationToken cancellation)
    {
        try
        {
            await PageAsync("", null, cancellation, names: 1).ConfigureAwait(false);
            return true;
        }
        catch (RequestFailedException error) when (error.ErrorCode == BlobErrorCode.ContainerNotFound)
        {
            return false;
        }
    }

    /// <param name="names">How many at most; null for as many as the service gives.</param>
    private Task<Page<BlobItem>> PageAsync(string prefix, string? from, CancellationToken cancellation, int? names = null) =>
        WithRetriesAsync(async () =>
        {
            var blobs = container.GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, cancellation);
            await foreach (var page in blobs.AsPages(from, names).ConfigureAwait(false)) return page;
            return Page<BlobItem>.FromValues([], null, null!);
        });

    /// <summary>Retries what the SDK does not retry by itself.</summary>
    private static async Task<T> WithRetriesAsync<T>(Func<Task<T>> ask)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ask().ConfigureAwait(false);
            }
            catch (Exception error) when (attempt < Attempts && IsBroken(error))
            {
                // once more
            }
        }
    }

    /// <summary>
    /// Whether a request or its answer broke on its way: a body that was cut, a listing with broken XML or dates, a
    /// success that is not the operation's own, as some proxies give for an answer that they have lost, or a body that
    /// reached the service damaged.
    /// </summary>
    private static bool IsBroken(Exception error) => error
        is XmlException
        or FormatException
        or IOException
        or RequestFailedException { Status: >= 200 and < 300 }
        or RequestFailedException { ErrorCode: Md5Mismatch };

    private static BlobClientOptions DefaultOptions() => new()
    {
        Retry =
        {
            MaxRetries = 7,
            Delay = TimeSpan.FromMilliseconds(200),
            MaxDelay = TimeSpan.FromSeconds(5),
        },
    };

    private BlobClient Blob(string name) => container.GetBlobClient(ObjectName.Checked(name));

    private async Task<string?> UploadAsync(
        string name,
        ReadOnlyMemory<byte> content,
        BlobRequestConditions conditions,
        CancellationToken cancellation)
    {
        var options = new BlobUploadOptions { Conditions = conditions };
        try
        {
            var uploaded = await WithRetriesAsync(() => Blob(name).UploadAsync(BinaryData.FromBytes(content), options, cancellation))
                .ConfigureAwait(false);
            return uploaded.Value.ETag.ToString();
        }
        catch (RequestFailedException error) when (error.Status is 409 or 412 or 404)
        {
            return null; // the name is taken; or the object has changed or is gone
        }
    }

    private static string FirstLine(Exception error)
    {
        var message = (error is AggregateException all ? all.InnerExceptions[0] : error).Message;
        return message.Split('\n')[0].TrimEnd('\r', '.') + ".";
    }
}
