using System.Net;
using System.Runtime.CompilerServices;
using System.Xml;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace MedMerge.Storage;

/// <summary>
/// Objects as block blobs of one container. Retries are the SDK's own; what it gives up on is thrown as it is. A call that
/// makes no progress for <see cref="AnswerTimeout"/>, all its retries together, fails with a <see cref="RequestFailedException"/>.
/// </summary>
/// <param name="container">Exists already.</param>
/// <param name="time">Measures the timeout; the system's clock where null.</param>
public sealed class AzureBlobStore(BlobContainerClient container, TimeProvider? time = null) : IObjectStore
{
    /// <summary>
    /// How long a call may take until its answer begins, and how long each further part of the answer. Longer than a restart
    /// of the service, and much shorter than the SDK would try in a network that swallows packets.
    /// </summary>
    public static readonly TimeSpan AnswerTimeout = TimeSpan.FromMinutes(1);

    /// <summary>A slower upload counts as one that makes no progress.</summary>
    private const double MinBytesPerSecond = 256 * 1024;

    /// <summary>The container's name where a connection names none.</summary>
    public const string DefaultContainer = "medmerge";

    private const int Attempts = 5;
    private const string Md5Mismatch = "Md5Mismatch";
    private const string InvalidBlockList = "InvalidBlockList";
    private const int PartBytes = 1 << 20;

    /// <summary>Uploads beyond it travel in blocks of this size, so that a request is short whatever the object's size.</summary>
    private const int BlockBytes = 16 << 20;

    private static readonly StorageTransferOptions Transfer = new()
    {
        InitialTransferSize = BlockBytes,
        MaximumTransferSize = BlockBytes,
        MaximumConcurrency = 2, // blocks in memory at a time, for each upload
    };

    private static readonly TimeSpan NetworkTimeout = TimeSpan.FromSeconds(20);
    private readonly TimeProvider _time = time ?? TimeProvider.System;

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
        var container = Connect(connection, containerName, options ?? CreateOptions(beforeWrite: null));
        try
        {
            var store = new AzureBlobStore(container);
            if (await store.IsThereAsync(cancellation).ConfigureAwait(false)) return store;
            if (!make) return null;
            await container.CreateIfNotExistsAsync(cancellationToken: cancellation).ConfigureAwait(false);
            return store;
        }
        catch (Exception error) when (error is RequestFailedException or AuthenticationFailedException or AggregateException)
        {
            var reason = $"The blob store can't be used: {ErrorText.FirstLine(error).TrimEnd('.')}.";
            throw new StoreUnavailableException($"{reason} Check ConnectionStrings__blobs and that the service runs.", error);
        }
    }

    /// <summary>Checks a connection without using it.</summary>
    /// <exception cref="InputException">It can't be understood.</exception>
    public static void Check(string connection) => Connect(connection, DefaultContainer, new BlobClientOptions());

    /// <summary>The options of a process that goes on working while the service restarts.</summary>
    /// <param name="beforeWrite">Called before every request that changes the store, retries included; may throw.</param>
    public static BlobClientOptions CreateOptions(Action? beforeWrite)
    {
        var options = new BlobClientOptions
        {
            Retry =
            {
                MaxRetries = 7,
                Delay = TimeSpan.FromMilliseconds(200),
                MaxDelay = TimeSpan.FromSeconds(5),
                NetworkTimeout = NetworkTimeout,
            },
        };
        if (beforeWrite is not null) options.AddPolicy(new WriteGuard(beforeWrite), HttpPipelinePosition.PerRetry);
        return options;
    }

    private static BlobContainerClient Connect(string connection, string containerName, BlobClientOptions options)
    {
        try
        {
            var account = StorageConnection.Parse(connection);
            // The service refuses a body that was damaged in transit.
            options.TransferValidation.Upload.ChecksumAlgorithm = StorageChecksumAlgorithm.MD5;
            var service = account.Address is { } address
                ? new BlobServiceClient(address, new DefaultAzureCredential(), options)
                : new BlobServiceClient(account.ConnectionString, options);
            return service.GetBlobContainerClient(account.Container ?? containerName);
        }
        catch (Exception error) when (error is FormatException or ArgumentException or InvalidOperationException)
        {
            var reason = $"The connection to the blob store can't be understood: {error.Message}";
            throw new InputException($"{reason} It is a connection string or an account's https address.", error);
        }
    }

    /// <inheritdoc />
    public async Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation)
    {
        try
        {
            return await WithRetriesAsync(Blob(name), DownloadAsync, cancellation).ConfigureAwait(false);
        }
        catch (RequestFailedException error) when (IsMissingObject(error))
        {
            return null;
        }
    }

    /// <inheritdoc />
    public async Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation)
    {
        try
        {
            var properties = await WithRetriesAsync(
                Blob(name),
                (blob, deadline) => blob.GetPropertiesAsync(cancellationToken: deadline.Token),
                cancellation).ConfigureAwait(false);
            return new ObjectProperties(properties.Value.ContentLength);
        }
        catch (RequestFailedException error) when (IsMissingObject(error))
        {
            return null;
        }
    }

    /// <inheritdoc />
    /// <remarks>Blocks are staged; the blob changes once all have arrived.</remarks>
    public Task WriteAsync(string name, Stream content, CancellationToken cancellation)
    {
        var options = new BlobUploadOptions { TransferOptions = Transfer };
        return WithRetriesAsync(
            Blob(name),
            (blob, deadline) =>
            {
                content.Position = 0;
                return blob.UploadAsync(content, options, deadline.Token);
            },
            cancellation,
            content.Length);
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
                yield return new ObjectInfo(blob.Name, blob.Properties.LastModified ?? DateTimeOffset.MinValue)
                {
                    Length = blob.Properties.ContentLength ?? 0,
                };
            next = page.ContinuationToken;
        }
        while (!string.IsNullOrEmpty(next));
    }

    /// <inheritdoc />
    public async Task DeleteAsync(string name, CancellationToken cancellation) =>
        await WithRetriesAsync(
            Blob(name),
            async (blob, deadline) => await blob.DeleteIfExistsAsync(cancellationToken: deadline.Token).ConfigureAwait(false),
            cancellation).ConfigureAwait(false);

    /// <inheritdoc />
    public async Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation)
    {
        var conditions = new BlobRequestConditions { IfUnmodifiedSince = listed.Modified };
        try
        {
            await WithRetriesAsync(
                Blob(listed.Name),
                (blob, deadline) => blob.DeleteIfExistsAsync(conditions: conditions, cancellationToken: deadline.Token),
                cancellation).ConfigureAwait(false);
            return true;
        }
        catch (RequestFailedException error) when (error.Status == (int)HttpStatusCode.PreconditionFailed)
        {
            return false;
        }
    }

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
        WithRetriesAsync(container, async (blobs, deadline) =>
        {
            var found = blobs.GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, deadline.Token);
            await foreach (var page in found.AsPages(from, names).ConfigureAwait(false)) return page;
            return Page<BlobItem>.FromValues([], null, null!);
        }, cancellation);

    /// <summary>Retries what the SDK does not retry by itself, until the deadline.</summary>
    /// <param name="bytes">How many the request carries.</param>
    private async Task<T> WithRetriesAsync<TClient, T>(
        TClient client,
        Func<TClient, ProgressDeadline, Task<T>> ask,
        CancellationToken cancellation,
        long bytes = 0)
    {
        using var deadline = new ProgressDeadline(AnswerTimeout + TimeSpan.FromSeconds(bytes / MinBytesPerSecond), _time, cancellation);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ask(client, deadline).WaitAsync(deadline.Token).ConfigureAwait(false);
            }
            catch (Exception error) when (deadline.HasPassed)
            {
                throw new RequestFailedException(0, $"The blob store has not answered within {deadline.Limit.TotalSeconds:0} s.", error);
            }
            catch (Exception error) when (attempt < Attempts && IsBroken(error))
            {
                // once more
            }
        }
    }

    private static async Task<StoredObject> DownloadAsync(BlobClient blob, ProgressDeadline deadline)
    {
        var answer = await blob.DownloadStreamingAsync(cancellationToken: deadline.Token).ConfigureAwait(false);
        using var download = answer.Value;
        var content = new byte[download.Details.ContentLength];
        for (var at = 0; at < content.Length;)
        {
            deadline.Renew();
            var part = content.AsMemory(at, Math.Min(PartBytes, content.Length - at));
            var read = await download.Content.ReadAtLeastAsync(part, part.Length, throwOnEndOfStream: false, deadline.Token)
                .ConfigureAwait(false);
            at += read;
            if (read < part.Length)
                throw new EndOfStreamException($"The blob '{blob.Name}' ended after {at} of {content.Length} bytes.");
        }
        return new StoredObject(content, download.Details.ETag.ToString()) { Modified = download.Details.LastModified };
    }

    /// <summary>
    /// Whether a request or its answer broke on its way: a body that was cut, a listing with broken XML or dates, a
    /// success that is not the operation's own, as some proxies give for an answer that they have lost, or a body that
    /// reached the service damaged, or blocks that another writer of the same name has thrown away by committing its own.
    /// </summary>
    private static bool IsBroken(Exception error) => error
        is XmlException
        or FormatException
        or IOException
        or RequestFailedException { Status: >= 200 and < 300 }
        or RequestFailedException { ErrorCode: Md5Mismatch or InvalidBlockList };

    private BlobClient Blob(string name) => container.GetBlobClient(ObjectName.Checked(name));

    private async Task<string?> UploadAsync(
        string name,
        ReadOnlyMemory<byte> content,
        BlobRequestConditions conditions,
        CancellationToken cancellation)
    {
        var options = new BlobUploadOptions
        {
            Conditions = conditions,
            TransferOptions = Transfer,
        };
        try
        {
            var uploaded = await WithRetriesAsync(
                Blob(name),
                (blob, deadline) => blob.UploadAsync(BinaryData.FromBytes(content), options, deadline.Token),
                cancellation,
                content.Length).ConfigureAwait(false);
            return uploaded.Value.ETag.ToString();
        }
        catch (RequestFailedException error) when (IsRefused(error))
        {
            return null; // the name is taken; or the object has changed or is gone
        }
    }

    /// <summary>Whether the object is not there, unlike the whole container.</summary>
    private static bool IsMissingObject(RequestFailedException error) =>
        error.Status == (int)HttpStatusCode.NotFound && error.ErrorCode != BlobErrorCode.ContainerNotFound;

    /// <summary>Whether the condition of a write did not hold. A container that is missing or being deleted is a failure.</summary>
    private static bool IsRefused(RequestFailedException error) =>
        IsMissingObject(error)
        || error.Status == (int)HttpStatusCode.PreconditionFailed
        || (error.Status == (int)HttpStatusCode.Conflict && error.ErrorCode != BlobErrorCode.ContainerBeingDeleted);

    /// <summary>Stops what a process must not write any more, however often the SDK tries.</summary>
    private sealed class WriteGuard(Action beforeWrite) : HttpPipelineSynchronousPolicy
    {
        public override void OnSendingRequest(HttpMessage message)
        {
            if (message.Request.Method != RequestMethod.Get && message.Request.Method != RequestMethod.Head) beforeWrite();
        }
    }
}
