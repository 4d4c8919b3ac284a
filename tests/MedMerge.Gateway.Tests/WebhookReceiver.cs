using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MedMerge.Gateway.Tests;

/// <summary>A webhook as it arrived.</summary>
internal sealed record ReceivedWebhook(string Id, long Timestamp, string Signature, byte[] Body);

/// <summary>A receiver on a free port of loopback that does with each request what a test says.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private WebApplication? _app;

    /// <summary>What has arrived, in order.</summary>
    public ConcurrentQueue<ReceivedWebhook> Received { get; } = [];

    /// <summary>Answers a request, once its body was read.</summary>
    public Func<HttpContext, Task> Answer { get; set; } = _ => Task.CompletedTask;

    public string Url => _app!.Urls.Single() + "/hook";

    public static async Task<WebhookReceiver> StartAsync()
    {
        var receiver = new WebhookReceiver();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        receiver._app = builder.Build();
        receiver._app.MapPost("/hook", receiver.ReceiveAsync);
        await receiver._app.StartAsync(TestContext.Current.CancellationToken);
        return receiver;
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var headers = context.Request.Headers;
        var timestamp = long.Parse(headers["webhook-timestamp"].ToString(), System.Globalization.CultureInfo.InvariantCulture);
        Received.Enqueue(new(headers["webhook-id"].ToString(), timestamp, headers["webhook-signature"].ToString(), body.ToArray()));
        await Answer(context);
    }
}
