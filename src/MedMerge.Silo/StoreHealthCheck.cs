using MedMerge.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MedMerge.Silo;

/// <summary>The identity of the store that this node has joined its cluster with.</summary>
internal sealed record JoinedStore(string Identity);

/// <summary>
/// A node is ready while its store answers and is the one that it started with. A store that was emptied gets its identity back.
/// </summary>
internal sealed class StoreHealthCheck(IObjectStore store, JoinedStore joined) : IHealthCheck
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(3);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var asked = StoreIdentity.EnsureAsync(store, cancellationToken, joined.Identity);
            var found = await asked.WaitAsync(AnswerTimeout, cancellationToken).ConfigureAwait(false);
            return found == joined.Identity
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy("The store is another one than when this node started. Restart all nodes.");
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy($"The store does not answer: {ErrorText.FirstLine(error)}", error);
        }
    }
}
