using System.Net;
using Azure;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MedMerge.Silo;

/// <summary>
/// A node is ready while it is an active member of its cluster and the membership table knows it. Beside a table that was emptied
/// a node keeps working but does not enter itself again, and new nodes form a cluster of their own.
/// </summary>
internal sealed class MembershipHealthCheck(ISiloStatusOracle silo, IMembershipTable table) : IHealthCheck
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(3);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (silo.CurrentStatus != SiloStatus.Active) return HealthCheckResult.Unhealthy($"The silo is {silo.CurrentStatus}.");
        try
        {
            var reading = table.ReadRowAsync(silo.SiloAddress, cancellationToken);
            var row = await reading.WaitAsync(AnswerTimeout, cancellationToken).ConfigureAwait(false);
            return row.Members.Count > 0 ? HealthCheckResult.Healthy() : Forget(error: null);
        }
        catch (Exception error) when (IsEmptied(error))
        {
            return Forget(error);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            // A cluster works without its table; only joining, leaving and declaring nodes dead wait for it.
            return new HealthCheckResult(HealthStatus.Healthy, $"The membership table does not answer: {error.Message}", error);
        }
    }

    private static HealthCheckResult Forget(Exception? error) =>
        HealthCheckResult.Unhealthy("The membership table does not know this node. Was it emptied? Restart all nodes.", error);

    /// <summary>The table answers, but its version row, or the table itself, is gone.</summary>
    private static bool IsEmptied(Exception error) =>
        error is KeyNotFoundException || error.InnerException is RequestFailedException { Status: (int)HttpStatusCode.NotFound };
}
