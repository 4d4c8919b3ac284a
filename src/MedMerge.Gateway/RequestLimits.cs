using System.Globalization;
using System.Threading.RateLimiting;
using MedMerge.Gateway.Access;
using Microsoft.AspNetCore.RateLimiting;

namespace MedMerge.Gateway;

/// <summary>
/// How many requests a client may send, and how many expensive ones run at a time: of one client, so that none keeps the others out, and
/// of all together, which bounds memory and disk. A request waits for its client's turn first, and holds nothing that others need
/// meanwhile.
/// </summary>
internal static class RequestLimits
{
    private const int MaxQueuedRequests = 64;

    /// <summary>When to try again where too many requests wait: it depends on what they do.</summary>
    private static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromSeconds(5);

    private static readonly IReadOnlyDictionary<string, Limit> Limits = new Dictionary<string, Limit>
    {
        [GatewayLimits.Uploads] = new(OfClient: 2, OfAll: 4),
        [GatewayLimits.Plans] = new(OfClient: 1, OfAll: 2),
    };

    /// <summary>Adds the policies of <see cref="GatewayLimits"/>.</summary>
    public static void Add(RateLimiterOptions limiter, ClientRates rates)
    {
        limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        limiter.OnRejected = TellWhenToRetryAsync;
        limiter.GlobalLimiter = PartitionedRateLimiter.CreateChained(
            rates.For(Describe),
            PartitionedRateLimiter.Create<HttpContext, (string? Policy, string Client)>(PartitionByClient));
        foreach (var (policy, limit) in Limits)
            limiter.AddConcurrencyLimiter(policy, options => SetLimit(options, limit.OfAll));
    }

    private static ValueTask TellWhenToRetryAsync(OnRejectedContext rejected, CancellationToken cancellation)
    {
        var after = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var known) ? known : DefaultRetryAfter;
        var seconds = Math.Max(1, Math.Ceiling(after.TotalSeconds));
        rejected.HttpContext.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return ValueTask.CompletedTask;
    }

    private static RateLimitPartition<(string? Policy, string Client)> PartitionByClient(HttpContext context)
    {
        var policy = context.GetEndpoint()?.Metadata.GetMetadata<EnableRateLimitingAttribute>()?.PolicyName;
        if (policy is null || !Limits.TryGetValue(policy, out var limit))
            return RateLimitPartition.GetNoLimiter<(string?, string)>((null, ""));
        return RateLimitPartition.GetConcurrencyLimiter<(string?, string)>((policy, Describe(context)), _ =>
        {
            var options = new ConcurrencyLimiterOptions();
            SetLimit(options, limit.OfClient);
            return options;
        });
    }

    /// <summary>The user; where nobody is signed in the address.</summary>
    private static string Describe(HttpContext context) =>
        Users.NameOf(context.User) ?? $"{context.Connection.RemoteIpAddress}";

    private static void SetLimit(ConcurrencyLimiterOptions options, int permits)
    {
        options.PermitLimit = permits;
        options.QueueLimit = MaxQueuedRequests;
    }

    private sealed record Limit(int OfClient, int OfAll);
}
