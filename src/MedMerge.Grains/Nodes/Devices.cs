using MedMerge.Tensors;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Nodes;

/// <summary>
/// The lanes of the node's one device: threads that compute independently of each other. Whatever computes keeps its lane until it ends,
/// for its tensors belong to the lane's thread. No number depends on lanes.
/// </summary>
internal sealed class Devices(IOptions<NodeOptions> options, NodeCapacity capacity) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<Lane> _lanes = [];

    /// <summary>
    /// The longest time that a lane's running work has made no progress; see <see cref="DeviceThread.TimeSinceProgress"/>.
    /// </summary>
    public TimeSpan TimeSinceProgress
    {
        get
        {
            lock (_gate) return _lanes.Count == 0 ? TimeSpan.Zero : _lanes.Max(lane => lane.Thread.TimeSinceProgress);
        }
    }

    /// <summary>Takes the lane with the least to do, until what is returned is disposed.</summary>
    /// <param name="threads">libtorch's threads for the work.</param>
    public LaneLease Take(int threads)
    {
        lock (_gate)
        {
            var lane = FindIdlest(threads);
            lane.Leases++;
            return new LaneLease(lane.Thread.ForThreads(threads), () => Return(lane));
        }
    }

    /// <summary>A lane for a moment's work.</summary>
    /// <param name="threads">libtorch's threads for the work.</param>
    public DeviceThread Borrow(int threads)
    {
        lock (_gate) return FindIdlest(threads).Thread.ForThreads(threads);
    }

    private Lane FindIdlest(int threads)
    {
        var idlest = _lanes.MinBy(lane => lane.Leases);
        if (idlest is { Leases: 0 } || (idlest is not null && _lanes.Count >= capacity.LanesFor(threads))) return idlest;
        var added = new Lane(new DeviceThread(options.Value.Device, 1));
        _lanes.Add(added);
        return added;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var lane in _lanes) await lane.Thread.DisposeAsync().ConfigureAwait(false);
    }

    private void Return(Lane lane)
    {
        lock (_gate) lane.Leases--;
    }

    private sealed class Lane(DeviceThread thread)
    {
        public DeviceThread Thread => thread;

        public int Leases { get; set; }
    }
}

/// <summary>A lane that was taken.</summary>
/// <param name="thread">What to compute on.</param>
internal sealed class LaneLease(DeviceThread thread, Action giveBack) : IDisposable
{
    private int _disposed;

    /// <summary>What to compute on.</summary>
    public DeviceThread Thread => thread;

    /// <inheritdoc />
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0) giveBack();
    }
}
