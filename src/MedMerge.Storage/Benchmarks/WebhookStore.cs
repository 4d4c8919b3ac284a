namespace MedMerge.Storage.Benchmarks;

/// <summary>A flagged run whose webhook has not been delivered.</summary>
/// <param name="Since">When it was flagged.</param>
/// <param name="Attempts">How often it was sent.</param>
/// <param name="Next">When it is to be sent next; another node may be sending it until then.</param>
internal sealed record PendingWebhook(string Benchmark, string Run, DateTimeOffset Since, int Attempts, DateTimeOffset Next);

/// <summary>
/// Which webhooks are to be sent (<c>benchmarks/webhooks/pending/NAME/ID</c>) and which were delivered
/// (<c>benchmarks/webhooks/delivered/NAME/ID</c>).
/// </summary>
internal sealed class WebhookStore(IObjectStore objects)
{
    private const string PendingPrefix = "benchmarks/webhooks/pending/";
    private const string DeliveredPrefix = "benchmarks/webhooks/delivered/";
    private const string Kind = "benchmark-webhook";

    /// <summary>Notes that a run's webhook is to be sent, unless that is known.</summary>
    public async Task AddAsync(string benchmark, string run, DateTimeOffset now, CancellationToken cancellation)
    {
        if (await objects.ReadAsync($"{DeliveredPrefix}{benchmark}/{run}", cancellation).ConfigureAwait(false) is not null) return;
        var pending = new PendingWebhook(benchmark, run, now, Attempts: 0, now);
        await objects.TryCreateAsync(GetName(pending), Write(pending), cancellation).ConfigureAwait(false);
    }

    /// <summary>All that are to be sent.</summary>
    public async Task<List<(PendingWebhook Webhook, string ETag)>> ListAsync(CancellationToken cancellation)
    {
        var found = new List<(PendingWebhook, string)>();
        await foreach (var item in objects.ListAsync(PendingPrefix, cancellation).ConfigureAwait(false))
        {
            var (pending, etag) =
                await Manifest.ReadAsync<PendingWebhook>(objects, item.Name, Kind, cancellation).ConfigureAwait(false);
            if (pending is not null) found.Add((pending, etag!));
        }
        return found;
    }

    /// <summary>Claims the next attempt for this node.</summary>
    /// <param name="next">When another may follow.</param>
    /// <returns>The webhook as kept; null where another node was faster.</returns>
    public async Task<PendingWebhook?> TryClaimAsync(
        PendingWebhook webhook,
        string etag,
        DateTimeOffset next,
        CancellationToken cancellation)
    {
        var claimed = webhook with { Attempts = webhook.Attempts + 1, Next = next };
        var kept = await objects.TryReplaceAsync(GetName(webhook), Write(claimed), etag, cancellation).ConfigureAwait(false);
        return kept is null ? null : claimed;
    }

    /// <summary>Notes that it was delivered.</summary>
    public async Task DeliveredAsync(PendingWebhook webhook, CancellationToken cancellation)
    {
        var name = $"{DeliveredPrefix}{webhook.Benchmark}/{webhook.Run}";
        await objects.TryCreateAsync(name, "delivered"u8.ToArray(), cancellation).ConfigureAwait(false);
        await DropAsync(webhook, cancellation).ConfigureAwait(false);
    }

    /// <summary>Gives up.</summary>
    public Task DropAsync(PendingWebhook webhook, CancellationToken cancellation) =>
        objects.DeleteAsync(GetName(webhook), cancellation);

    private static string GetName(PendingWebhook webhook) => $"{PendingPrefix}{webhook.Benchmark}/{webhook.Run}";

    private static byte[] Write(PendingWebhook webhook) => Manifest.Write(Kind, Guid.NewGuid().ToString("N"), webhook);
}
