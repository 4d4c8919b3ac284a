using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;

namespace MedMerge.Gateway;

/// <summary>
/// How many expensive requests run at a time: of one client, so that none keeps the others out, and of all together, which bounds
/// memory and disk. A request waits for its client's turn first, and holds nothing that others need meanwhile.
/// </summary>
internal static class ConcurrencyLimits
{
    private const int MaxQueuedRequests = 64;

    private static readonly IReadOnlyDictionary<string, Limit> Limits = new Dictionary<string, Limit>
    {
        [GatewayLimits.Uploads] = new(OfClient: 2, OfAll: 4),
        [GatewayLimits.Plans] = new(OfClient: 1, OfAll: 2),
    };

    /// <summary>Adds the policies of <see cref="GatewayLimits"/>.</summary>
    public static void Add(RateLimiterOptions limiter)
    {
        limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, (string? Policy, string Client)>(PartitionByClient);
        foreach (var (policy, limit) in Limits)
            limiter.AddConcurrencyLimiter(policy, options => SetLimit(options, limit.OfAll));
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

    /// <summary>The owner of the key or token; without authentication the address, which is this machine's.</summary>
    private static string Describe(HttpContext context) =>
        context.User.Identity?.Name ?? context.User.FindFirst("sub")?.Value ?? $"{context.Connection.RemoteIpAddress}";

    private static void SetLimit(ConcurrencyLimiterOptions options, int permits)
    {
        options.PermitLimit = permits;
        options.QueueLimit = MaxQueuedRequests;
    }

    private sealed record Limit(int OfClient, int OfAll);
}
