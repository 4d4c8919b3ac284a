using MedMerge.Gateway.Connections;
using MedMerge.Gateway.Queries;

namespace MedMerge.Gateway.Pages.Shared;

/// <summary>The sweeps that pages are open on. Each is read once, however many watch it.</summary>
internal sealed class SweepFeeds(ClusterConnection cluster, ResultQueries results, TimeProvider time, ILogger<SweepFeed> logger)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SweepFeed> _feeds = [];

    /// <summary>Watches a sweep until the result is disposed.</summary>
    /// <param name="hasVerdicts">Whether it takes what the results say, too, which costs most.</param>
    /// <param name="changed">Called after each change; it must not throw, and the next change waits for it.</param>
    public SweepWatch Watch(string id, bool hasVerdicts, Action changed)
    {
        lock (_gate)
        {
            if (!_feeds.TryGetValue(id, out var feed)) _feeds[id] = feed = SweepFeed.Start(id, cluster, results, time, logger);
            feed.Changed += changed;
            if (hasVerdicts) feed.VerdictViewers++;
            return new SweepWatch(feed, () => Leave(id, feed, hasVerdicts, changed));
        }
    }

    private void Leave(string id, SweepFeed feed, bool hasVerdicts, Action changed)
    {
        lock (_gate)
        {
            feed.Changed -= changed;
            if (hasVerdicts) feed.VerdictViewers--;
            if (feed.IsWatched) return;
            _feeds.Remove(id);
        }
        feed.Stop();
    }
}

/// <summary>One page's watch of a sweep; disposing it ends it.</summary>
internal sealed class SweepWatch(SweepFeed feed, Action leave) : IDisposable
{
    private int _hasLeft;

    /// <summary>What is known of the sweep now.</summary>
    public SweepView View => feed.View;

    /// <inheritdoc />
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _hasLeft, 1) == 0) leave();
    }
}
