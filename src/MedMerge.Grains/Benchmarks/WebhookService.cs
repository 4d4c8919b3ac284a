using MedMerge.Storage.Benchmarks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Benchmarks;

/// <summary>
/// Delivers the webhooks of flagged runs, each at least once, whatever node dies: an attempt is claimed in the store before it is made, and
/// the next one follows after a growing pause, on any node.
/// </summary>
internal sealed partial class WebhookService(
    WebhookStore webhooks,
    BenchmarkStore benchmarks,
    WebhookSender sender,
    IOptions<BenchmarkOptions> options,
    TimeProvider time,
    ILogger<WebhookService> logger)
    : BackgroundService
{
    /// <summary>How often it looks for them.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);
    private static readonly TimeSpan GivenUpAfter = TimeSpan.FromDays(3);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Webhook.IsSet) return;
        using var timer = new PeriodicTimer(Period, time);
        do
        {
            try
            {
                await DeliverAllAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception error) when (!stoppingToken.IsCancellationRequested)
            {
                LogNotListed(error); // the store is out of reach
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    /// <summary>Sends what is due.</summary>
    internal async Task DeliverAllAsync(CancellationToken cancellation)
    {
        foreach (var (webhook, etag) in await webhooks.ListAsync(cancellation).ConfigureAwait(false))
            if (webhook.Next <= time.GetUtcNow()) await DeliverAsync(webhook, etag, cancellation).ConfigureAwait(false);
    }

    /// <summary>The pause after an attempt that failed.</summary>
    /// <param name="attempt">From 1.</param>
    internal static TimeSpan GetPause(int attempt)
    {
        var pause = FirstPause * Math.Pow(2, Math.Min(attempt, 20) - 1);
        return pause < LongestPause ? pause : LongestPause;
    }

    private async Task DeliverAsync(PendingWebhook webhook, string etag, CancellationToken cancellation)
    {
        try
        {
            // Noted before its run: whoever records the run again completes it.
            if (await benchmarks.FindAsync(webhook.Benchmark, webhook.Run, cancellation).ConfigureAwait(false) is not { } run) return;
            var next = time.GetUtcNow() + options.Value.Webhook.Timeout + GetPause(webhook.Attempts + 1);
            if (await webhooks.TryClaimAsync(webhook, etag, next, cancellation).ConfigureAwait(false) is not { } claimed) return;
            webhook = claimed;
            await sender.SendAsync(run, cancellation).ConfigureAwait(false);
            await webhooks.DeliveredAsync(webhook, cancellation).ConfigureAwait(false);
            LogDelivered(webhook.Benchmark, webhook.Run, webhook.Attempts);
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            LogNotDelivered(error, webhook.Benchmark, webhook.Run, webhook.Attempts);
            if (time.GetUtcNow() - webhook.Since < GivenUpAfter) return;
            await webhooks.DropAsync(webhook, cancellation).ConfigureAwait(false);
            LogGivenUp(webhook.Benchmark, webhook.Run, GivenUpAfter.TotalDays);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Webhooks could not be listed; the next try follows in a few seconds.")]
    private partial void LogNotListed(Exception error);

    [LoggerMessage(LogLevel.Information, "The webhook of benchmark {Benchmark}, run {Run} was delivered at attempt {Attempt}.")]
    private partial void LogDelivered(string benchmark, string run, int attempt);

    [LoggerMessage(LogLevel.Warning, "The webhook of benchmark {Benchmark}, run {Run} was not delivered at attempt {Attempt}.")]
    private partial void LogNotDelivered(Exception error, string benchmark, string run, int attempt);

    [LoggerMessage(LogLevel.Error, "The webhook of benchmark {Benchmark}, run {Run} is given up after {Days} days.")]
    private partial void LogGivenUp(string benchmark, string run, double days);
}
