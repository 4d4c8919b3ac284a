using MedMerge.Gateway.Connections;

namespace MedMerge.Gateway.Pages.Shared;

/// <summary>The sweeps that pages are open on. Each is read once, however many watch it.</summary>
internal sealed class SweepFeeds(ClusterConnection cluster, TimeProvider time, ILogger<SweepFeed> logger)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SweepFeed> _feeds = [];

    /// <summary>Watches a sweep until the result is disposed.</summary>
    /// <param name="changed">Called after each change, on a thread of its own; it must not throw.</param>
    public SweepWatch Watch(string id, Action changed)
    {
        lock (_gate)
        {
            if (!_feeds.TryGetValue(id, out var feed)) _feeds[id] = feed = SweepFeed.Start(id, cluster, time, logger);
            return new SweepWatch(feed, changed, () => Leave(id, feed));
        }
    }

    private void Leave(string id, SweepFeed feed)
    {
        lock (_gate)
        {
            if (feed.IsWatched || !_feeds.Remove(id)) return;
        }
        feed.Stop();
    }
}

/// <summary>One page's watch of a sweep.</summary>
internal sealed class SweepWatch : IDisposable
{
    private readonly SweepFeed _feed;
    private readonly Action _changed;
    private readonly Action _leave;

    public SweepWatch(SweepFeed feed, Action changed, Action leave)
    {
        (_feed, _changed, _leave) = (feed, changed, leave);
        feed.Changed += changed;
    }

    /// <summary>What is known of the sweep now.</summary>
    public SweepView View => _feed.View;

    /// <inheritdoc />
    public void Dispose()
    {
        _feed.Changed -= _changed;
        _leave();
    }
}
