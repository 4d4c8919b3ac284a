using MedMerge.Gateway.Connections;
using MedMerge.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MedMerge.Gateway;

/// <summary>The gateway is ready while the cluster and the store answer.</summary>
internal sealed class ReadyCheck(ClusterConnection cluster, IObjectStore store) : IHealthCheck
{
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(3);

    /// <inheritdoc />
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var problems = await Task.WhenAll(
            FindProblemAsync("The cluster", () => cluster.Nodes.ListAsync(), cancellationToken),
            FindProblemAsync("The store", () => store.ReadAsync(SweepStore.Prefix + "ready", cancellationToken), cancellationToken));
        var found = problems.OfType<Problem>().ToList();
        return found.Count == 0
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy(string.Join('\n', found.Select(problem => problem.Description)), Combine(found));
    }

    private static async Task<Problem?> FindProblemAsync(string service, Func<Task> probe, CancellationToken cancellation)
    {
        try
        {
            await probe().WaitAsync(ProbeTimeout, cancellation);
            return null;
        }
        catch (UnavailableException error)
        {
            return new Problem(error.Message, error);
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            var firstLine = error.Message.Split('\n')[0].Trim(); // Orleans appends a stack to its messages
            return new Problem($"{service} does not answer: {firstLine}", error);
        }
    }

    private static Exception Combine(List<Problem> problems) =>
        problems.Count == 1 ? problems[0].Error : new AggregateException(problems.Select(problem => problem.Error));

    private sealed record Problem(string Description, Exception Error);
}
