using MedMerge.Gateway.Connections;
using MedMerge.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MedMerge.Gateway;

/// <summary>The gateway is ready while the cluster and the store answer.</summary>
internal sealed class ReadyCheck(ClusterConnection cluster, IObjectStore store) : IHealthCheck
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(3);

    /// <inheritdoc />
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var problems = await Task.WhenAll(
            ProblemAsync("The cluster", () => cluster.Nodes.ListAsync(), cancellationToken),
            ProblemAsync("The store", () => store.ReadAsync(SweepStore.Prefix + "ready", cancellationToken), cancellationToken));
        var found = problems.OfType<string>().ToList();
        return found.Count == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy(string.Join('\n', found));
    }

    private static async Task<string?> ProblemAsync(string what, Func<Task> ask, CancellationToken cancellation)
    {
        try
        {
            await ask().WaitAsync(AnswerTimeout, cancellation);
            return null;
        }
        catch (UnavailableException error)
        {
            return error.Message;
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            return $"{what} does not answer: {error.Message.Split('\n')[0].Trim()}"; // Orleans' goes on with its stack
        }
    }
}
