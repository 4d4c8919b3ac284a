using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MedMerge.Cli.Tests.Downloads;

/// <summary>What a request asked for.</summary>
/// <param name="From">The first byte of its range; 0 where it has none.</param>
internal sealed record DownloadRequest(string Path, int From, string? IfRange);

/// <summary>Writes an answer, head and body; the connection is closed behind it.</summary>
internal delegate Task DownloadAnswer(DownloadRequest request, Stream stream, CancellationToken stop);

/// <summary>
/// A server that gives one prepared answer after the other, the last one again and again. It writes to sockets, so that it can lie.
/// </summary>
internal sealed class DownloadServer : IAsyncDisposable
{
    public const string Tag = "\"version-1\"";
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly DownloadAnswer[] _answers;
    private readonly List<DownloadRequest> _requests = [];
    private readonly Task _loop;

    public DownloadServer(params DownloadAnswer[] answers)
    {
        _answers = answers;
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/set.npz");
        _loop = LoopAsync();
    }

    /// <summary>For <see cref="Hold"/>: it holds until the server ends.</summary>
    public static Task Never { get; } = new TaskCompletionSource().Task;

    public Uri Address { get; }

    public IReadOnlyList<DownloadRequest> Requests
    {
        get
        {
            lock (_requests) return [.. _requests];
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _loop;
        _stop.Dispose();
    }

    /// <summary>All of it, or the range that is asked for.</summary>
    public static DownloadAnswer Whole(byte[] content) => Cut(content, content.Length);

    /// <summary>The same, and breaks off behind so many bytes of the file.</summary>
    public static DownloadAnswer Cut(byte[] content, int end) => async (request, stream, stop) =>
    {
        await WriteHeadAsync(request, stream, content, stop);
        await stream.WriteAsync(content.AsMemory(request.From, Math.Max(0, end - request.From)), stop);
    };

    /// <summary>The same, and nothing comes behind so many bytes until the task has ended.</summary>
    public static DownloadAnswer Hold(byte[] content, int end, Task until) => async (request, stream, stop) =>
    {
        await Cut(content, end)(request, stream, stop);
        await until.WaitAsync(stop);
        await stream.WriteAsync(content.AsMemory(end), stop);
    };

    /// <summary>All of it, whatever range is asked for.</summary>
    public static DownloadAnswer WithoutRanges(byte[] content, int? end = null) => (request, stream, stop) =>
        Cut(content, end ?? content.Length)(request with { From = 0 }, stream, stop);

    /// <summary>All of it, with a length that may be a lie, or none.</summary>
    public static DownloadAnswer Claiming(byte[] content, int? length) => async (_, stream, stop) =>
    {
        var header = length is null ? "" : string.Create(CultureInfo.InvariantCulture, $"Content-Length: {length}\r\n");
        await WriteAsync(stream, $"HTTP/1.1 200 OK\r\n{header}Connection: close\r\n\r\n", stop);
        await stream.WriteAsync(content, stop);
    };

    /// <summary>No body.</summary>
    public static DownloadAnswer Status(string status, string header = "") => (_, stream, stop) =>
        WriteAsync(stream, $"HTTP/1.1 {status}\r\n{header}Content-Length: 0\r\nConnection: close\r\n\r\n", stop);

    public static DownloadAnswer Redirect(string location) => Status("302 Found", $"Location: {location}\r\n");

    private static Task WriteHeadAsync(DownloadRequest request, Stream stream, byte[] content, CancellationToken stop)
    {
        var (status, range) = request.From == 0
            ? ("200 OK", "")
            : ("206 Partial Content", $"Content-Range: bytes {request.From}-{content.Length - 1}/{content.Length}\r\n");
        var length = content.Length - request.From;
        return WriteAsync(
            stream, $"HTTP/1.1 {status}\r\n{range}ETag: {Tag}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n", stop);
    }

    private static Task WriteAsync(Stream stream, string text, CancellationToken stop) =>
        stream.WriteAsync(Encoding.ASCII.GetBytes(text), stop).AsTask();

    private async Task LoopAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true) connections.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                var (request, number) = await ReadAsync(stream);
                await _answers[Math.Min(number, _answers.Length - 1)](request, stream, _stop.Token);
            }
            catch (Exception error) when (error is IOException or OperationCanceledException)
            {
                // The client has gone, or the test is over.
            }
        }
    }

    private async Task<(DownloadRequest Request, int Number)> ReadAsync(Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        var path = (await reader.ReadLineAsync(_stop.Token))!.Split(' ')[1];
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers[line[..colon]] = line[(colon + 1)..].Trim();
        }
        var from = headers.TryGetValue("Range", out var range) ? int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture) : 0;
        var request = new DownloadRequest(path, from, headers.GetValueOrDefault("If-Range"));
        lock (_requests)
        {
            _requests.Add(request);
            return (request, _requests.Count - 1);
        }
    }
}
