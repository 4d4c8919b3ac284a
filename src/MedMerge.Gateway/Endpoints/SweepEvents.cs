using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using MedMerge.Grains;

namespace MedMerge.Gateway.Endpoints;

/// <summary>The stream of a sweep's status.</summary>
internal sealed partial class SweepEvents(string id, ISweepGrain sweep, ILogger logger)
{
    /// <summary>
    /// The grain answers on every change and every five seconds, as a heartbeat. If it is unavailable the stream ends,
    /// and clients reconnect.
    /// </summary>
    /// <param name="first">The status to begin with.</param>
    public async IAsyncEnumerable<SseItem<SweepStatus>> WatchAsync(
        SweepStatus first,
        CancellationToken stopping,
        [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellation);
        for (var status = first; status is not null; status = await GetNextAsync(status.Version, linked.Token))
        {
            yield return new SseItem<SweepStatus>(status, "status");
            if (status.HasEnded) yield break;
        }
    }

    private async Task<SweepStatus?> GetNextAsync(long knownVersion, CancellationToken cancellation)
    {
        try
        {
            return await sweep.StatusAsync(knownVersion).WaitAsync(cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception error) when (error is OperationCanceledException or TimeoutException or Orleans.Runtime.OrleansException)
        {
            LogEnded(error, id);
            return null;
        }
    }

    [LoggerMessage(LogLevel.Warning, "The event stream of sweep {Sweep} ends because its grain does not answer; clients reconnect.")]
    private partial void LogEnded(Exception error, string sweep);
}
