using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MedMerge.Silo;

/// <summary>A node is ready once it is an active member of its cluster.</summary>
internal sealed class NodeHealth(ISiloStatusOracle silo) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        silo.CurrentStatus == SiloStatus.Active ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy($"The silo is {silo.CurrentStatus}."));
}
