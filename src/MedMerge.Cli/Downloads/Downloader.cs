using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using MedMerge.Data.Catalogue;

namespace MedMerge.Cli.Downloads;

/// <summary>
/// Gets files of the catalogue over HTTP: whole and with the catalogue's hash, or not at all. What came before a connection broke is kept,
/// and the next try asks for the rest.
/// </summary>
internal sealed class Downloader : IDisposable
{
    private const int BlockBytes = 1 << 17;
    private readonly DownloadOptions _options;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http;

    /// <param name="handler">Sends requests, and follows no redirects; the system's where null.</param>
    public Downloader(DownloadOptions? options = null, TimeProvider? clock = null, HttpMessageHandler? handler = null)
    {
        _options = options ?? new DownloadOptions();
        _clock = clock ?? TimeProvider.System;
        _http = new HttpClient(handler ?? new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan, // of the whole; a connection that stalls is given up
        };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("medmerge");
        _http.DefaultRequestHeaders.AcceptEncoding.ParseAdd("identity");
    }

    /// <summary>Gets a file, in place of another of that name.</summary>
    /// <param name="path">Where it goes, in a folder that exists.</param>
    /// <param name="progress">Is told the bytes that are there, and the whole length or null where it is not known.</param>
    /// <param name="notice">Is told why a try failed, and when the next one is.</param>
    /// <exception cref="DownloadException">The server does not give it, or gives another file.</exception>
    /// <exception cref="InputException">Another process is downloading it.</exception>
    /// <exception cref="Storage.DiskException">The disk is full or read-only.</exception>
    public async Task GetAsync(
        CatalogueFile file,
        string path,
        Action<long, long?> progress,
        Action<string> notice,
        CancellationToken cancellation)
    {
        using var partial = await PartialFile.OpenAsync(path, file.Hash, cancellation);
        if (partial.Length > file.MaxBytes) partial.Restart();
        var furthest = partial.Length;
        var failures = 0;
        while (!IsWhole(file, partial))
        {
            var failure = await TryAsync(file, partial, progress, cancellation);
            if (IsWhole(file, partial)) break; // also where the server promised more and broke off
            if (failure is null) throw DescribeMismatch(file, partial);
            if (partial.Length >= furthest + _options.MinProgress) failures = 0;
            furthest = Math.Max(furthest, partial.Length);
            failures++;
            if (failures >= _options.MaxAttempts) throw DescribeFailure(file, partial, path, failure, failures);
            var pause = GetPause(failure, failures);
            notice(FormattableString.Invariant($"{file.Address}: {failure.Reason}; the next try is in {pause.TotalSeconds:0} s"));
            await Task.Delay(pause, _clock, cancellation);
        }
        partial.Publish();
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    private static bool IsWhole(CatalogueFile file, PartialFile partial) =>
        partial.Length > 0
        && (file.Bytes is null || file.Bytes == partial.Length)
        && file.Hash.Matches(partial.Digits);

    /// <summary>Asks for what is missing, and takes what comes.</summary>
    /// <returns>Why it may be tried again; null where all came that the server has.</returns>
    /// <exception cref="DownloadException">Another try would not help.</exception>
    private async Task<Failure?> TryAsync(
        CatalogueFile file,
        PartialFile partial,
        Action<long, long?> progress,
        CancellationToken cancellation)
    {
        using var stall = new CancellationTokenSource(_options.StallTimeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stall.Token, cancellation);
        try
        {
            using var response = await SendAsync(file, partial, either.Token);
            if (Check(file, partial, response) is { } failure) return failure;
            var total = GetTotal(partial, response.Content.Headers);
            CheckLength(file, partial, total);
            await using var content = await response.Content.ReadAsStreamAsync(either.Token);
            await ReceiveAsync(content);
            var expected = total ?? file.Bytes;
            return partial.Length < expected ? new Failure($"the connection ended after {partial.Length} of {expected} bytes") : null;

            async Task ReceiveAsync(Stream stream)
            {
                var buffer = ArrayPool<byte>.Shared.Rent(BlockBytes);
                try
                {
                    int count;
                    while ((count = await stream.ReadAsync(buffer, either.Token)) > 0)
                    {
                        stall.CancelAfter(_options.StallTimeout);
                        CheckLength(file, partial, partial.Length + count, isWhole: false);
                        await partial.AppendAsync(buffer.AsMemory(0, count), cancellation);
                        progress(partial.Length, total ?? file.Bytes);
                    }
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new Failure(FormattableString.Invariant($"nothing came for {_options.StallTimeout.TotalSeconds:0} s"));
        }
        catch (HttpRequestException error)
        {
            return new Failure(error.InnerException?.Message ?? error.Message);
        }
        catch (HttpIOException error)
        {
            return new Failure($"the connection broke after {partial.Length} bytes ({error.HttpRequestError})");
        }
        catch (IOException error) when (error is not Storage.DiskException)
        {
            return new Failure(error.Message);
        }
    }

    /// <summary>Sends the request, and follows redirects: to https, and from http to http.</summary>
    private async Task<HttpResponseMessage> SendAsync(CatalogueFile file, PartialFile partial, CancellationToken cancellation)
    {
        var address = file.Address;
        for (var redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            if (partial.Length > 0)
            {
                request.Headers.Range = new RangeHeaderValue(partial.Length, null);
                if (partial.Version is { } version) request.Headers.TryAddWithoutValidation("If-Range", version);
            }
            var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            var isRedirect = (int)response.StatusCode is 301 or 302 or 303 or 307 or 308;
            if (!isRedirect) return response;
            using (response) address = GetNext(file, address, response.Headers.Location, redirects);
        }
    }

    private Uri GetNext(CatalogueFile file, Uri address, Uri? location, int redirects)
    {
        if (redirects >= _options.MaxRedirects)
            throw new DownloadException($"{file.Address} is redirected more than {_options.MaxRedirects} times.");
        if (location is null) throw new DownloadException($"{address} is redirected to no address.");
        var next = new Uri(address, location);
        var isSafe = next.Scheme == Uri.UriSchemeHttps || (next.Scheme == Uri.UriSchemeHttp && address.Scheme == Uri.UriSchemeHttp);
        return isSafe ? next : throw new DownloadException($"{address} is redirected to {next}, which is not followed: it is not https.");
    }

    /// <summary>Whether the answer's body continues what is there; what is there is thrown away where it does not.</summary>
    /// <returns>Why it may be tried again; null where the body is to be taken.</returns>
    private static Failure? Check(CatalogueFile file, PartialFile partial, HttpResponseMessage response)
    {
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                if (partial.Length > 0) partial.Restart(); // the server knows no ranges, or its file has changed
                break;
            case HttpStatusCode.PartialContent when response.Content.Headers.ContentRange?.From == partial.Length:
                break;
            case HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable:
                partial.Restart();
                return new Failure("the server does not give the rest of the file") { Pause = TimeSpan.Zero };
            case HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError:
                return new Failure($"the server answered {Describe(response)}") { Pause = response.Headers.RetryAfter?.Delta };
            default:
                throw new DownloadException($"{file.Address} can't be downloaded: the server answered {Describe(response)}.");
        }
        var tag = response.Headers.ETag is { IsWeak: false } strong ? strong.Tag : null;
        partial.SetVersion(tag ?? response.Content.Headers.LastModified?.ToString("r", CultureInfo.InvariantCulture));
        return null;
    }

    private static long? GetTotal(PartialFile partial, HttpContentHeaders headers) =>
        headers.ContentRange?.Length ?? (partial.Length + headers.ContentLength);

    /// <summary>Gives up where the file is another than the catalogue's by its length alone.</summary>
    /// <param name="isWhole">Whether the length is that of the whole file.</param>
    private static void CheckLength(CatalogueFile file, PartialFile partial, long? length, bool isWhole = true)
    {
        var isWrong = length > file.MaxBytes || (isWhole && length is not null && file.Bytes is not null && length != file.Bytes);
        if (!isWrong) return;
        partial.Restart();
        var expected = file.Bytes is { } bytes ? $"where the catalogue has {bytes}" : $"where {file.MaxBytes} are the most";
        var offered = isWhole ? $"{length} bytes" : $"more than {file.MaxBytes} bytes";
        throw new DownloadException($"{file.Address} gives another file than the catalogue's: {offered}, {expected}. Nothing was kept.");
    }

    private TimeSpan GetPause(Failure failure, int failures)
    {
        var pause = failure.Pause ?? (_options.FirstPause * Math.Pow(2, failures - 1));
        return pause < _options.LongestPause ? pause : _options.LongestPause;
    }

    private static string Describe(HttpResponseMessage response) => $"{(int)response.StatusCode} {response.ReasonPhrase}".TrimEnd();

    private static DownloadException DescribeMismatch(CatalogueFile file, PartialFile partial)
    {
        var received = $"{file.Hash.Describe(partial.Digits)}, {partial.Length} bytes";
        var hint = partial.HasOlderBytes ? " Some of it was from an earlier try: try again, from its beginning." : "";
        partial.Restart();
        return new DownloadException(
            $"{file.Address} gives another file than the catalogue's: expected {file.Hash}, received {received}. Nothing was kept.{hint}");
    }

    private static DownloadException DescribeFailure(
        CatalogueFile file,
        PartialFile partial,
        string path,
        Failure failure,
        int failures)
    {
        var kept = partial.Length > 0 ? $" '{PartialFile.GetPath(path)}' keeps what came; the same command resumes from there." : "";
        return new DownloadException($"{file.Address} can't be downloaded after {failures} tries: {failure.Reason}.{kept}");
    }

    /// <summary>Why a try brought less than the whole file.</summary>
    private sealed record Failure(string Reason)
    {
        /// <summary>How long to wait before the next; null for the usual time.</summary>
        public TimeSpan? Pause { get; init; }
    }
}
