using System.Threading.RateLimiting;

namespace MedMerge.Gateway;

/// <summary>
/// How many requests each client may send, and how many changes it may make from pages: a minute's at once; they come back evenly, once a
/// second where there are enough.
/// </summary>
internal sealed class ClientRates(GatewayLimits limits) : IDisposable
{
    private const int SecondsPerMinute = 60;
    private readonly PartitionedRateLimiter<string> _limiter = PartitionedRateLimiter.Create<string, string>(client =>
        RateLimitPartition.GetTokenBucketLimiter(client, _ => GetBucket(limits.RequestsPerMinute)));

    /// <summary>Counts one of a client's requests; the lease says whether it may go on.</summary>
    public RateLimitLease Take(string client) => _limiter.AttemptAcquire(client);

    /// <summary>The same for requests, by the client that sends one.</summary>
    public PartitionedRateLimiter<HttpContext> For(Func<HttpContext, string> client) => _limiter.WithTranslatedKey(client, leaveOpen: true);

    /// <inheritdoc />
    public void Dispose() => _limiter.Dispose();

    private static TokenBucketRateLimiterOptions GetBucket(int perMinute)
    {
        var portion = Math.Max(1, perMinute / SecondsPerMinute);
        return new TokenBucketRateLimiterOptions
        {
            TokenLimit = perMinute,
            TokensPerPeriod = portion,
            ReplenishmentPeriod = TimeSpan.FromMinutes(1) * portion / perMinute,
            QueueLimit = 0,
        };
    }
}
