using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MedMerge.Experiments.Benchmarks;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Benchmarks;

/// <summary>
/// Sends signed webhooks as Standard Webhooks 1.0.0 describes them: headers <c>webhook-id</c>, <c>webhook-timestamp</c> and
/// <c>webhook-signature</c>, the HMAC-SHA256 of id, timestamp and body with points in between.
/// </summary>
internal sealed class WebhookSender(IOptions<BenchmarkOptions> options, TimeProvider time) : IDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false })
    {
        Timeout = Timeout.InfiniteTimeSpan, // each request has its own
    };

    /// <summary>The id of a run's webhook: the same at every attempt, so that a receiver can drop what it has.</summary>
    public static string GetId(BenchmarkRun run) => $"benchmark-{run.Benchmark}-{run.Id}";

    /// <summary>The body: the same bytes at every attempt.</summary>
    public static byte[] WriteBody(BenchmarkRun run) => JsonSerializer.SerializeToUtf8Bytes(
        new
        {
            Type = "benchmark.regression",
            Data = new
            {
                run.Benchmark,
                Run = run.Id,
                run.Sweep,
                run.Verdict.Baseline,
                Findings = run.Verdict.Findings.Select(finding => finding.Text),
            },
        },
        Json);

    /// <summary>The signature as the header has it.</summary>
    /// <param name="timestamp">Seconds since 1970.</param>
    public static string Sign(byte[] key, string id, long timestamp, byte[] body)
    {
        var head = string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}.");
        byte[] signed = [.. Encoding.UTF8.GetBytes(head), .. body];
        return "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed));
    }

    /// <summary>Sends a run's webhook.</summary>
    /// <exception cref="HttpRequestException">It was not delivered, or refused.</exception>
    /// <exception cref="TimeoutException">No answer came in time; it may have been delivered.</exception>
    public async Task SendAsync(BenchmarkRun run, CancellationToken cancellation)
    {
        var webhook = options.Value.Webhook;
        var body = WriteBody(run);
        var timestamp = time.GetUtcNow().ToUnixTimeSeconds();
        using var request = new HttpRequestMessage(HttpMethod.Post, webhook.Url)
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        request.Headers.Add("webhook-id", GetId(run));
        request.Headers.Add("webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", Sign(webhook.Key, GetId(run), timestamp, body));
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(webhook.Timeout);
        try
        {
            using var response =
                await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token).ConfigureAwait(false);
            response.EnsureSuccessStatusCode();
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"No answer within {webhook.Timeout.TotalSeconds:0.#} s.", error);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();
}
