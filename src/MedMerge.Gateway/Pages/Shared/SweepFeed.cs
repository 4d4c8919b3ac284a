using MedMerge.Experiments.Results;
using MedMerge.Gateway.Connections;
using MedMerge.Gateway.Queries;
using MedMerge.Grains;

namespace MedMerge.Gateway.Pages.Shared;

/// <summary>What is known of a sweep.</summary>
/// <param name="Status">Null before the first answer.</param>
/// <param name="Trials">All, by number; shared by all pages, so it is never changed.</param>
/// <param name="Verdicts">What the results say; null before they were first read.</param>
/// <param name="Problem">Why there is no newer answer; null where there is one.</param>
internal sealed record SweepView(SweepStatus? Status, IReadOnlyList<TrialSummary> Trials, SweepVerdicts? Verdicts, string? Problem)
{
    /// <summary>Nothing yet.</summary>
    public static SweepView Empty { get; } = new(null, [], null, null);
}

/// <summary>What the results of a sweep say so far.</summary>
/// <param name="Outcomes">Of each scenario that has a result, by its name.</param>
/// <param name="Summary">Over scenarios, or why there is none; null where there is one scenario.</param>
internal sealed record SweepVerdicts(IReadOnlyDictionary<string, string> Outcomes, string? Summary);

/// <summary>
/// Follows one sweep for all pages that are open on it: status and trials, of the latter only those that have changed, and what the
/// results say. The grain answers on changes, at most once a second.
/// </summary>
internal sealed partial class SweepFeed
{
    private const int MaxVerdictShare = 10;
    private static readonly Dictionary<string, string> NoOutcomes = [];
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan VerdictPeriod = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan VerdictPoll = TimeSpan.FromSeconds(0.5);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly ClusterConnection _cluster;
    private readonly string _id;
    private readonly ILogger _logger;
    private readonly ResultQueries _results;
    private readonly TimeProvider _time;
    private volatile SweepView _view = SweepView.Empty;

    private SweepFeed(string id, ClusterConnection cluster, ResultQueries results, TimeProvider time, ILogger logger)
    {
        (_id, _cluster, _results, _time, _logger) = (id, cluster, results, time, logger);
    }

    /// <summary>Raised after <see cref="View"/> has changed.</summary>
    public event Action? Changed;

    /// <summary>What is known now.</summary>
    public SweepView View => _view;

    /// <summary>How many pages show what the results say; without any it is not read.</summary>
    public int VerdictViewers { get; set; }

    /// <summary>Whether anyone watches.</summary>
    public bool IsWatched => Changed is not null;

    /// <summary>Begins to follow a sweep.</summary>
    public static SweepFeed Start(string id, ClusterConnection cluster, ResultQueries results, TimeProvider time, ILogger logger)
    {
        var feed = new SweepFeed(id, cluster, results, time, logger);
        _ = Task.Run(feed.RunAsync);
        return feed;
    }

    /// <summary>Ends it.</summary>
    public void Stop() => _stopping.Cancel();

    private async Task RunAsync()
    {
        using (_stopping) await Task.WhenAll(FollowTrialsAsync(), FollowVerdictsAsync());
    }

    private async Task FollowTrialsAsync()
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
                Publish(view => view with { Problem = Failures.Describe(error).Text });
                await Task.Delay(RetryDelay, _time, CancellationToken.None);
            }
        }
    }

    /// <summary>
    /// Verdicts resample every trial's test images, so they follow at a distance and take a tenth of the time at most; those of a sweep
    /// that has ended are read at once.
    /// </summary>
    private async Task FollowVerdictsAsync()
    {
        var known = (Done: 0, HasEnded: false);
        var hadEnded = false;
        var pause = TimeSpan.Zero;
        var last = _time.GetTimestamp();
        using var timer = new PeriodicTimer(VerdictPoll, _time);
        try
        {
            do
            {
                if (VerdictViewers == 0 || _view.Status is not { } status) continue;
                var now = (status.Counts.Done, status.HasEnded);
                if (status.HasEnded && !hadEnded) pause = TimeSpan.Zero;
                hadEnded = status.HasEnded;
                if (now.Done == 0 || now == known || _time.GetElapsedTime(last) < pause) continue;
                var begin = _time.GetTimestamp();
                if (await TryReadVerdictsAsync(_stopping.Token)) known = now;
                last = _time.GetTimestamp();
                var share = _time.GetElapsedTime(begin, last) * (MaxVerdictShare - 1);
                pause = share > VerdictPeriod ? share : VerdictPeriod;
            }
            while (await timer.WaitForNextTickAsync(_stopping.Token));
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Nobody watches any more.
        }
    }

    /// <returns>Whether there is nothing more to read until more trials are done.</returns>
    private async Task<bool> TryReadVerdictsAsync(CancellationToken cancellation)
    {
        try
        {
            var result = await _results.GetSweepAsync(_id, cancellation);
            var outcomes = result.Scenarios.ToDictionary(scenario => scenario.Scenario.Name, scenario => Verdict.Split(scenario).Outcome);
            var summary = result.Comparison is { } comparison ? SweepVerdict.Of(comparison) : null;
            Publish(view => view with { Verdicts = new SweepVerdicts(outcomes, summary) });
            return true;
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            var (status, text) = Failures.Describe(error);
            if (status == StatusCodes.Status500InternalServerError) LogFailed(error, _id);
            var summary = $"Verdicts can't be computed now: {text}";
            Publish(view => view with { Verdicts = new SweepVerdicts(view.Verdicts?.Outcomes ?? NoOutcomes, summary) });
            return false;
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
            Publish(view => view with { Status = status, Trials = trials.Items, Problem = null });
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

    private void Publish(Func<SweepView, SweepView> change)
    {
        lock (_gate) _view = change(_view);
        Changed?.Invoke();
    }

    [LoggerMessage(LogLevel.Warning, "The pages of sweep {Sweep} are not up to date because it can't be read; trying again.")]
    private partial void LogFailed(Exception error, string sweep);

    private sealed record TrialList(Guid Activation, long Position, IReadOnlyList<TrialSummary> Items);
}
