using System.Net;
using MedMerge.Data;

namespace MedMerge.Testing;

/// <summary>
/// A proxy in front of a blob service that refuses (503), dawdles, breaks and cuts bodies on their way to and fro, and
/// loses answers after the write.
/// </summary>
public sealed class FaultyProxy : IAsyncDisposable
{
    private const int Refuse = 0;
    private const int Dawdle = 1;
    private const int LoseAnswer = 2;
    private const int CutAnswer = 3;
    private const int BreakAnswer = 4;
    private const int BreakRequest = 5;
    private const int KindsOfLoss = 4;
    private const int AllKinds = 6;
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(1);
    private static readonly string[] HopHeaders = ["Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Host", "Expect"];
    private readonly HttpListener _listener = new();
    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
    });
    private readonly Uri _target;
    private readonly double _rate;
    private readonly RandomStream _random;
    private readonly int _kinds;
    private readonly Task _loop;

    /// <param name="corrupts">Whether bytes are changed in transit too. Blobs carry checksums of their own; tables rely
    /// on those of TLS and TCP.</param>
    public FaultyProxy(Uri target, double rate, ulong seed, bool corrupts = true)
    {
        _target = target;
        _rate = rate;
        _random = new RandomStream(seed);
        _kinds = corrupts ? AllKinds : KindsOfLoss;
        Address = new Uri($"http://127.0.0.1:{FreePorts.Take()}/");
        _listener.Prefixes.Add(Address.ToString());
        _listener.Start();
        _loop = LoopAsync();
    }

    public Uri Address { get; }

    /// <summary>How many faults there were.</summary>
    public int Faults { get; private set; }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _loop;
        _listener.Close();
        _client.Dispose();
    }

    private async Task LoopAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            var fault = -1;
            lock (_random)
            {
                if (_random.NextDouble() < _rate) (fault, Faults) = (_random.Below(_kinds), Faults + 1);
            }
            _ = AnswerAsync(context, fault);
        }
    }

    private async Task AnswerAsync(HttpListenerContext context, int fault)
    {
        try
        {
            if (fault == Refuse)
            {
                context.Response.StatusCode = 503;
                context.Response.Close();
                return;
            }
            if (fault == Dawdle) await Task.Delay(Delay);
            using var request =
                new HttpRequestMessage(new HttpMethod(context.Request.HttpMethod), new Uri(_target, context.Request.RawUrl));
            var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            if (fault == BreakRequest && body.Length > 0)
                body.GetBuffer()[body.Length / 2] ^= 1; // the service refuses it, for it does not match its checksum
            request.Content = new ByteArrayContent(body.ToArray());
            // The signature covers the address as the client wrote it, which is the proxy's.
            request.Headers.Host = context.Request.Headers["Host"];
            foreach (var name in context.Request.Headers.AllKeys.OfType<string>().Where(IsEndToEnd))
                if (!request.Headers.TryAddWithoutValidation(name, context.Request.Headers[name]))
                    request.Content.Headers.TryAddWithoutValidation(name, context.Request.Headers[name]);
            using var response = await _client.SendAsync(request);
            var content = await response.Content.ReadAsByteArrayAsync();
            if (fault == LoseAnswer)
            {
                context.Response.Abort(); // the service has done it, the client never hears of it
                return;
            }
            context.Response.StatusCode = (int)response.StatusCode;
            foreach (var header in response.Headers.Concat(response.Content.Headers).Where(header => IsEndToEnd(header.Key)))
                context.Response.Headers[header.Key] = string.Join(",", header.Value);
            if (fault == BreakAnswer && content.Length > 0) content[content.Length / 2] ^= 1;
            if (context.Request.HttpMethod != "HEAD")
            {
                context.Response.ContentLength64 = content.Length;
                if (fault == CutAnswer)
                {
                    await context.Response.OutputStream.WriteAsync(content.AsMemory(0, content.Length / 2));
                    context.Response.Abort();
                    return;
                }
                await context.Response.OutputStream.WriteAsync(content);
            }
            context.Response.Close();
        }
        catch (Exception error) when (IsGone(error))
        {
            context.Response.Abort(); // the client has gone
        }
    }

    private static bool IsEndToEnd(string header) => !HopHeaders.Contains(header, StringComparer.OrdinalIgnoreCase);

    private static bool IsGone(Exception error) => error
        is HttpListenerException
        or ObjectDisposedException
        or IOException
        or HttpRequestException
        or InvalidOperationException;
}
