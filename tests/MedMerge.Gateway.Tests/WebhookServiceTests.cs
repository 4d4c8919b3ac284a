using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MedMerge.Experiments.Benchmarks;
using MedMerge.Grains.Benchmarks;
using MedMerge.Storage.Benchmarks;
using MedMerge.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Gateway.Tests;

/// <summary>Webhooks of flagged runs against a receiver that fails, is slow, or whose answer is lost.</summary>
public sealed class WebhookServiceTests : IAsyncLifetime
{
    private const string Run = "20260504t020000z";
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 4, 3, 0, 0, TimeSpan.Zero));
    private readonly RecordingLogger _log = new();
    private readonly MemoryObjectStore _objects;
    private readonly WebhookStore _webhooks;
    private readonly BenchmarkOptions _options = new();
    private WebhookReceiver _receiver = null!;

    public WebhookServiceTests()
    {
        _objects = new MemoryObjectStore(_time);
        _webhooks = new WebhookStore(_objects);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _receiver = await WebhookReceiver.StartAsync();
        _options.Webhook.Url = _receiver.Url;
        _options.Webhook.Secret = $"whsec_{Convert.ToBase64String(Key)}";
        _options.Webhook.Timeout = TimeSpan.FromMinutes(1);
        _options.Check();
        await new BenchmarkStore(_objects).TryCreateAsync(CreateRun(), Cancellation);
        await _webhooks.AddAsync("nightly", Run, _time.GetUtcNow(), Cancellation);
    }

    public ValueTask DisposeAsync() => _receiver.DisposeAsync();

    [Fact]
    public async Task It_arrives_once_with_a_signature_that_the_receiver_can_check()
    {
        await DeliverAsync();
        _time.Advance(TimeSpan.FromHours(2));
        await DeliverAsync();
        await _webhooks.AddAsync("nightly", Run, _time.GetUtcNow(), Cancellation); // a node that recorded the run again
        await DeliverAsync();

        var received = Assert.Single(_receiver.Received);
        Assert.Equal($"benchmark-nightly-{Run}", received.Id);
        AssertSigned(received);
        using var body = JsonDocument.Parse(received.Body);
        Assert.Equal("benchmark.regression", body.RootElement.GetProperty("type").GetString());
        var data = body.RootElement.GetProperty("data");
        Assert.Equal("nightly", data.GetProperty("benchmark").GetString());
        Assert.Equal($"nightly-{Run}", data.GetProperty("sweep").GetString());
        Assert.Equal(["it is worse"], data.GetProperty("findings").EnumerateArray().Select(finding => finding.GetString()));
    }

    [Theory]
    [InlineData(StatusCodes.Status500InternalServerError)]
    [InlineData(StatusCodes.Status404NotFound)]
    [InlineData(StatusCodes.Status302Found)]
    public async Task A_receiver_that_fails_is_tried_again_after_growing_pauses(int status)
    {
        _receiver.Answer = context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        };
        var attempts = new List<TimeSpan>();
        var begin = _time.GetUtcNow();
        for (var step = 0; step < 60; step++)
        {
            var before = _receiver.Received.Count;
            await DeliverAsync();
            if (_receiver.Received.Count > before) attempts.Add(_time.GetUtcNow() - begin);
            _time.Advance(TimeSpan.FromSeconds(10));
        }
        _receiver.Answer = _ => Task.CompletedTask;
        _time.Advance(TimeSpan.FromHours(2));
        await DeliverAsync();
        await DeliverAsync();

        // A minute to answer, and 10, 20, 40, 80 s of pause.
        Assert.Equal([0, 70, 150, 250, 390], attempts.Select(attempt => attempt.TotalSeconds));
        Assert.Equal(attempts.Count + 1, _receiver.Received.Count);
        AssertSameWebhook();
        Assert.Empty(await _webhooks.ListAsync(Cancellation));
        Assert.Equal(attempts.Count, _log.Lines.Count(line => line.Level == LogLevel.Warning && line.Error is HttpRequestException));
    }

    [Fact]
    public async Task A_receiver_that_is_slow_is_left_and_tried_again()
    {
        _options.Webhook.Timeout = TimeSpan.FromMilliseconds(300);
        var slow = new TaskCompletionSource();
        _receiver.Answer = _ => slow.Task;
        await DeliverAsync();
        Assert.Single(_log.Lines, line => line.Error is TimeoutException);
        slow.SetResult();

        _options.Webhook.Timeout = TimeSpan.FromMinutes(1);
        _time.Advance(TimeSpan.FromMinutes(1));
        await DeliverAsync();

        Assert.Equal(2, _receiver.Received.Count);
        AssertSameWebhook();
        Assert.Empty(await _webhooks.ListAsync(Cancellation));
    }

    /// <summary>So the receiver gets it twice, and drops one by its id.</summary>
    [Fact]
    public async Task Where_the_answer_is_lost_it_is_sent_again_with_the_same_id()
    {
        _receiver.Answer = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };
        await DeliverAsync();
        _receiver.Answer = _ => Task.CompletedTask;
        _time.Advance(TimeSpan.FromMinutes(2));
        await DeliverAsync(); // by a new process: only the store remembers

        Assert.Equal(2, _receiver.Received.Count);
        AssertSameWebhook();
    }

    [Fact]
    public async Task A_receiver_that_answers_twice_gets_it_once()
    {
        const string Answer = "HTTP/1.1 204 No Content\r\n\r\n";
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _options.Webhook.Url = $"http://{listener.LocalEndpoint}/hook";
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var answering = AnswerAsync();

        await DeliverAsync();
        _time.Advance(TimeSpan.FromHours(2));
        await DeliverAsync();
        await stopping.CancelAsync();

        Assert.Equal(1, await answering);
        Assert.Empty(await _webhooks.ListAsync(Cancellation));
        Assert.DoesNotContain(_log.Lines, line => line.Level >= LogLevel.Warning);

        // Connections until then.
        async Task<int> AnswerAsync()
        {
            for (var count = 0; ; count++)
            {
                try
                {
                    using var client = await listener.AcceptTcpClientAsync(stopping.Token);
                    var stream = client.GetStream();
                    await ReadRequestAsync(stream);
                    await stream.WriteAsync(Encoding.ASCII.GetBytes(Answer + Answer), Cancellation);
                }
                catch (OperationCanceledException) when (stopping.IsCancellationRequested)
                {
                    return count;
                }
            }
        }
    }

    [Fact]
    public async Task Of_two_nodes_one_sends_it()
    {
        var answer = new TaskCompletionSource();
        _receiver.Answer = _ => answer.Task;
        var first = DeliverAsync();
        while (_receiver.Received.IsEmpty) await Task.Delay(10, Cancellation);
        await DeliverAsync();
        answer.SetResult();
        await first;

        Assert.Single(_receiver.Received);
    }

    [Fact]
    public async Task One_that_was_noted_before_its_run_waits_for_it()
    {
        await _webhooks.AddAsync("nightly", "20260505t020000z", _time.GetUtcNow(), Cancellation);
        await DeliverAsync();
        Assert.Single(_receiver.Received);

        await new BenchmarkStore(_objects).TryCreateAsync(CreateRun() with { Id = "20260505t020000z" }, Cancellation);
        await DeliverAsync();
        Assert.Equal(2, _receiver.Received.Count);
    }

    [Fact]
    public async Task After_three_days_it_is_given_up_with_an_error()
    {
        _receiver.Answer = context =>
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return Task.CompletedTask;
        };
        for (var hour = 0; hour < 75; hour++)
        {
            await DeliverAsync();
            _time.Advance(TimeSpan.FromHours(1));
        }
        Assert.Empty(await _webhooks.ListAsync(Cancellation));
        Assert.Single(_log.Lines, line => line.Level == LogLevel.Error);
    }

    [Theory]
    [InlineData("ftp://a", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "Benchmarks__Webhook__Url must be")]
    [InlineData("http://a", null, "Benchmarks__Webhook__Secret must be")]
    [InlineData("http://a", "secret", "Benchmarks__Webhook__Secret must be")]
    [InlineData("http://a", "whsec_c2hvcnQ=", "Benchmarks__Webhook__Secret must be")]
    public void A_wrong_setting_is_named(string url, string? secret, string message)
    {
        var options = new BenchmarkOptions { Webhook = { Url = url, Secret = secret } };
        Assert.StartsWith(message, Assert.Throws<InputException>(options.Check).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 10)]
    [InlineData(4, 80)]
    [InlineData(12, 3600)]
    [InlineData(1000, 3600)]
    public void Pauses_double_up_to_an_hour(int attempt, double seconds) =>
        Assert.Equal(seconds, WebhookService.GetPause(attempt).TotalSeconds);

    private static BenchmarkRun CreateRun()
    {
        var code = new BenchmarkCode("1", "build", new Dictionary<string, string>());
        var verdict = new BenchmarkVerdict("before", false, [], [], [], [new BenchmarkFinding(FindingKind.Score, "it is worse")]);
        return new BenchmarkRun("nightly", Run, $"nightly-{Run}", "title", code, "spec", "plan", [], "stages", [], null, verdict);
    }

    private static async Task ReadRequestAsync(Stream stream)
    {
        var request = new StringBuilder();
        var buffer = new byte[65536];
        while (!request.ToString().Contains("it is worse", StringComparison.Ordinal)) // in the body, behind the headers
            request.Append(Encoding.UTF8.GetString(buffer, 0, await stream.ReadAsync(buffer, Cancellation)));
    }

    /// <summary>Looks once, as a process that was just started.</summary>
    private async Task DeliverAsync()
    {
        var options = Options.Create(_options);
        using var sender = new WebhookSender(options, _time);
        using var service = new WebhookService(
            _webhooks,
            new BenchmarkStore(_objects),
            sender,
            options,
            _time,
            _log.CreateLogger<WebhookService>());
        await service.DeliverAllAsync(Cancellation);
    }

    private void AssertSameWebhook()
    {
        Assert.Single(_receiver.Received.Select(received => received.Id).Distinct());
        Assert.Single(_receiver.Received.Select(received => Convert.ToHexString(received.Body)).Distinct());
        Assert.All(_receiver.Received, AssertSigned);
    }

    /// <summary>As Standard Webhooks says, written again here.</summary>
    private static void AssertSigned(ReceivedWebhook received)
    {
        var signed = $"{received.Id}.{received.Timestamp}.{Encoding.UTF8.GetString(received.Body)}";
        var expected = Convert.ToBase64String(HMACSHA256.HashData(Key, Encoding.UTF8.GetBytes(signed)));
        Assert.Equal($"v1,{expected}", received.Signature);
    }
}
