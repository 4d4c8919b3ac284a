using System.Collections.Concurrent;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Work;

namespace MedMerge.Grains.Running;

/// <summary>How many lanes a sweep may use, as the cluster's sweeps share them: asked for now and then.</summary>
internal sealed class LaneShares(ClusterView cluster, IGrainFactory grains, TimeProvider time)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<(string Sweep, string Device), (long Time, int Wanted, int Lanes)> _known = [];

    /// <summary>The lanes of all nodes with the sweep's devices that are the sweep's now.</summary>
    /// <param name="threads">libtorch's threads of a stage.</param>
    public async Task<int> GetAsync(SweepState sweep, IReadOnlyList<string> devices, int threads)
    {
        var counts = sweep.Record.Trials.Counts;
        var limits = sweep.Record.Limits ?? SweepLimits.None;
        var wanted = Math.Min(counts.Pending, limits.Parallel ?? int.MaxValue);
        var lanes = 0;
        foreach (var device in devices)
        {
            var all = cluster.CountLanes(device, threads);
            lanes += await GetAsync(new LaneRequest(sweep.Id, limits.Priority, wanted, all), device).ConfigureAwait(false);
        }
        return lanes;
    }

    private async Task<int> GetAsync(LaneRequest request, string device)
    {
        var key = (request.Sweep, device);
        var isRecent = _known.TryGetValue(key, out var known)
            && known.Wanted <= request.Wanted
            && time.GetElapsedTime(known.Time) < Period;
        if (isRecent) return known.Lanes;
        try
        {
            var asked = grains.GetGrain<ILaneShareGrain>(device).GetShareAsync(request);
            var lanes = await asked.WaitAsync(Timeout, time).ConfigureAwait(false);
            foreach (var (old, share) in _known) // of sweeps that have ended
                if (time.GetElapsedTime(share.Time) > Lifetime) _known.TryRemove(old, out _);
            _known[key] = (time.GetTimestamp(), request.Wanted, lanes);
            return lanes;
        }
        catch (Exception error) when (FailureClass.IsNodeGone(error))
        {
            return known.Time == 0 ? request.Lanes : known.Lanes; // its node is gone; devices admit no more than they can hold anyway
        }
    }
}
