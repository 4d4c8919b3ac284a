using MedMerge.Gateway.Connections;
using MedMerge.Grains;

namespace MedMerge.Gateway.Pages.Shared;

/// <summary>What is known of a sweep.</summary>
/// <param name="Status">Null before the first answer.</param>
/// <param name="Trials">All, by number; shared by all pages, so it is never changed.</param>
/// <param name="Problem">Why there is no newer answer; null where there is one.</param>
internal sealed record SweepView(SweepStatus? Status, IReadOnlyList<TrialSummary> Trials, string? Problem)
{
    /// <summary>Nothing yet.</summary>
    public static SweepView Empty { get; } = new(null, [], null);
}

/// <summary>
/// Follows one sweep for all pages that are open on it: status and trials, of the latter only those that have changed. The grain answers
/// on changes, at most once a second.
/// </summary>
internal sealed partial class SweepFeed
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(2);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ClusterConnection _cluster;
    private readonly string _id;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private volatile SweepView _view = SweepView.Empty;

    private SweepFeed(string id, ClusterConnection cluster, TimeProvider time, ILogger logger)
    {
        (_id, _cluster, _time, _logger) = (id, cluster, time, logger);
    }

    /// <summary>Raised after <see cref="View"/> has changed.</summary>
    public event Action? Changed;

    /// <summary>What is known now.</summary>
    public SweepView View => _view;

    /// <summary>Whether anyone watches.</summary>
    public bool IsWatched => Changed is not null;

    /// <summary>Begins to follow a sweep.</summary>
    public static SweepFeed Start(string id, ClusterConnection cluster, TimeProvider time, ILogger logger)
    {
        var feed = new SweepFeed(id, cluster, time, logger);
        _ = Task.Run(feed.FollowAsync);
        return feed;
    }

    /// <summary>Ends it.</summary>
    public void Stop() => _stopping.Cancel();

    private async Task FollowAsync()
    {
        using (_stopping)
        {
            while (!_stopping.IsCancellationRequested)
            {
                try
                {
                    await FollowActivationAsync(_stopping.Token);
                }
                catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
                {
                    return;
                }
                catch (Exception error)
                {
                    LogFailed(error, _id);
                    Publish(_view with { Problem = Failures.Describe(error).Text });
                    await Task.Delay(RetryDelay, _time, CancellationToken.None);
                }
            }
        }
    }

    /// <summary>Follows the sweep until its grain moves to another node, where positions count anew.</summary>
    private async Task FollowActivationAsync(CancellationToken cancellation)
    {
        SweepStatus? last = null;
        TrialList? trials = null;
        while (true)
        {
            var status = await _cluster.Sweep(_id).StatusAsync(last?.Version ?? SweepStatus.NoVersion).WaitAsync(cancellation);
            // A pause or a cancel changes how all are shown.
            var isOther = status.State != last?.State || status.Counts.Total != trials?.Items.Count;
            trials = isOther || trials is null ? await ReadAllAsync(cancellation) : await ReadChangesAsync(trials, cancellation);
            if (trials is null) return;
            last = status;
            Publish(new SweepView(status, trials.Items, Problem: null));
        }
    }

    private async Task<TrialList> ReadAllAsync(CancellationToken cancellation)
    {
        var items = new List<TrialSummary>();
        TrialPage? first = null;
        for (int? from = 1; from is { } number;)
        {
            var page = await _cluster.Sweep(_id).TrialsAsync(new TrialQuery(number)).WaitAsync(cancellation);
            items.AddRange(page.Trials);
            first ??= page;
            from = page.Next;
        }
        return new TrialList(first!.Activation, first.Position, items);
    }

    /// <returns>Null where the grain has moved, or the sweep was extended meanwhile: all are to be read again.</returns>
    private async Task<TrialList?> ReadChangesAsync(TrialList known, CancellationToken cancellation)
    {
        List<TrialSummary>? items = null;
        var position = known.Position;
        TrialPage page;
        do
        {
            page = await _cluster.Sweep(_id).TrialsAsync(new TrialQuery(ChangedAfter: position)).WaitAsync(cancellation);
            if (page.Activation != known.Activation || page.Trials.Any(trial => trial.Number > known.Items.Count)) return null;
            position = page.Position;
            if (page.Trials.Count > 0) items ??= [.. known.Items];
            foreach (var trial in page.Trials) items![trial.Number - 1] = trial;
        }
        while (page.Trials.Count == TrialPage.MaxTrials);
        return new TrialList(known.Activation, position, items ?? known.Items);
    }

    private void Publish(SweepView view)
    {
        _view = view;
        Changed?.Invoke();
    }

    [LoggerMessage(LogLevel.Warning, "The pages of sweep {Sweep} are not up to date because it can't be read; trying again.")]
    private partial void LogFailed(Exception error, string sweep);

    private sealed record TrialList(Guid Activation, long Position, IReadOnlyList<TrialSummary> Items);
}
