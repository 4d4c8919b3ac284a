using MedMerge.Gateway.Connections;
using MedMerge.Gateway.Queries;

namespace MedMerge.Gateway.Pages.Shared;

/// <summary>The sweeps that pages are open on. Each is read once, however many watch it.</summary>
internal sealed class SweepFeeds(ClusterConnection cluster, ResultQueries results, TimeProvider time, ILogger<SweepFeed> logger)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SweepFeed> _feeds = [];

    /// <summary>Watches a sweep until the result is disposed.</summary>
    /// <param name="changed">Called after each change; it must not throw, and the next change waits for it.</param>
    public SweepWatch Watch(string id, Action changed)
    {
        lock (_gate)
        {
            if (!_feeds.TryGetValue(id, out var feed)) _feeds[id] = feed = SweepFeed.Start(id, cluster, results, time, logger);
            feed.Changed += changed;
            return new SweepWatch(feed, () => Leave(id, feed, changed));
        }
    }

    private void Leave(string id, SweepFeed feed, Action changed)
    {
        lock (_gate)
        {
            feed.Changed -= changed;
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
