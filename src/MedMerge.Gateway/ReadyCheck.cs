using MedMerge.Gateway.Connections;
using MedMerge.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MedMerge.Gateway;

/// <summary>
/// The gateway is ready while the cluster and the store answer. Anyone may ask, so the cluster and the store are asked once at a
/// time, and an answer holds for a while.
/// </summary>
internal sealed class ReadyCheck(ClusterConnection cluster, IObjectStore store, TimeProvider time) : IHealthCheck
{
    /// <summary>For how long an answer holds.</summary>
    public static readonly TimeSpan Validity = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(3);
    private readonly Lock _gate = new();
    private Task<HealthCheckResult>? _probe;
    private long _started;

    /// <inheritdoc />
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            var isOld = _probe is null || (_probe.IsCompleted && time.GetElapsedTime(_started) >= Validity);
            if (isOld)
            {
                _started = time.GetTimestamp();
                _probe = ProbeAsync();
            }
            return _probe!.WaitAsync(cancellationToken);
        }
    }

    private async Task<HealthCheckResult> ProbeAsync()
    {
        using var timeout = new CancellationTokenSource(ProbeTimeout, time);
        var problems = await Task.WhenAll(
            FindProblemAsync("The cluster", () => cluster.Nodes.ListAsync(), timeout.Token),
            FindProblemAsync("The store", () => FindIdentityAsync(timeout.Token), timeout.Token));
        var found = problems.OfType<Problem>().ToList();
        return found.Count == 0
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy(string.Join('\n', found.Select(problem => problem.Description)), Combine(found));
    }

    private async Task FindIdentityAsync(CancellationToken cancellation)
    {
        if (await StoreIdentity.FindAsync(store, cancellation) is null)
            throw new UnavailableException("The store has no identity: no node has used it yet, or it was emptied.");
    }

    private static async Task<Problem?> FindProblemAsync(string service, Func<Task> probe, CancellationToken timeout)
    {
        try
        {
            await probe().WaitAsync(timeout);
            return null;
        }
        catch (UnavailableException error)
        {
            return new Problem(error.Message, Error: null); // its connection has logged the cause
        }
        catch (OperationCanceledException error) when (timeout.IsCancellationRequested)
        {
            return new Problem($"{service} does not answer within {ProbeTimeout.TotalSeconds:0} s.", error);
        }
        catch (Exception error)
        {
            var firstLine = ErrorText.FirstLine(error); // Orleans appends a stack to its messages
            return new Problem($"{service} does not answer: {firstLine}", error);
        }
    }

    private static Exception? Combine(List<Problem> problems)
    {
        var errors = problems.Select(problem => problem.Error).OfType<Exception>().ToList();
        return errors.Count > 1 ? new AggregateException(errors) : errors.FirstOrDefault();
    }

    /// <param name="Error">Null where it is logged already.</param>
    private sealed record Problem(string Description, Exception? Error);
}
