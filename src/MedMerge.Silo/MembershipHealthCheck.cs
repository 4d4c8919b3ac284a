using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace MedMerge.Silo;

/// <summary>
/// A node is ready once it is an active member of its cluster, as long as the cluster's table knows it: a node that goes on beside an emptied Redis does not enter itself
/// again, and new ones make a cluster of their own.
/// </summary>
internal sealed class MembershipHealthCheck(ISiloStatusOracle silo, IMembershipTable table) : IHealthCheck
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(3);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (silo.CurrentStatus != SiloStatus.Active) return HealthCheckResult.Unhealthy($"The silo is {silo.CurrentStatus}.");
        try
        {
            var row = await table.ReadRowAsync(silo.SiloAddress, cancellationToken).WaitAsync(AnswerTimeout, cancellationToken).ConfigureAwait(false);
            return row.Members.Count > 0 ? HealthCheckResult.Healthy() : Forgotten;
        }
        catch (Exception error) when (error is RedisException or TimeoutException)
        {
            return HealthCheckResult.Healthy($"Redis does not answer: {error.Message}"); // a cluster goes on without it
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            return Forgotten; // the table itself is missing
        }
    }

    private static HealthCheckResult Forgotten => HealthCheckResult.Unhealthy("The cluster's table does not know this node. Was Redis emptied? Start all nodes anew.");
}
