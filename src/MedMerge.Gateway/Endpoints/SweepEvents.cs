using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using MedMerge.Grains;

namespace MedMerge.Gateway.Endpoints;

/// <summary>The stream of a sweep's status, and of the trials that change.</summary>
internal sealed partial class SweepEvents(string id, ISweepGrain sweep, ILogger logger)
{
    /// <summary>The name of an event with a <see cref="SweepStatus"/>.</summary>
    public const string Status = "status";

    /// <summary>The name of an event with a list of <see cref="TrialSummary"/>, those that have changed since the last.</summary>
    public const string Trials = "trials";

    /// <summary>
    /// The grain answers on changes, at most once a second, and every five seconds, as a heartbeat. If it is unavailable the stream
    /// ends, and clients reconnect.
    /// </summary>
    /// <param name="first">The status to begin with.</param>
    /// <param name="withTrials">Whether trials that change are sent too; how they are to begin with is for pages.</param>
    public async IAsyncEnumerable<SseItem<object>> WatchAsync(
        SweepStatus first,
        bool withTrials,
        CancellationToken stopping,
        [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellation);
        TrialPage? last = null;
        for (var status = first; status is not null; status = await GetAsync(() => sweep.StatusAsync(status.Version), linked.Token))
        {
            if (withTrials)
            {
                do
                {
                    var query = new TrialQuery(ChangedAfter: last?.Position ?? 0);
                    if (await GetAsync(() => sweep.TrialsAsync(query), linked.Token) is not { } page) yield break;
                    if (last is not null && page.Activation != last.Activation) yield break; // it has moved: clients read the pages again
                    last = page;
                    if (page.Trials.Count > 0) yield return new SseItem<object>(page.Trials, Trials);
                }
                while (last.Trials.Count == TrialPage.MaxTrials);
            }
            yield return new SseItem<object>(status, Status);
            if (status.HasEnded) yield break;
        }
    }

    private async Task<T?> GetAsync<T>(Func<Task<T>> call, CancellationToken cancellation) where T : class
    {
        try
        {
            return await call().WaitAsync(cancellation);
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
