namespace MedMerge.Grains.Running;

/// <summary>Divides lanes among sweeps: by priority, and fairly within one.</summary>
internal static class LaneDivision
{
    /// <summary>
    /// The lanes of each sweep. A higher priority gets all that it wants before a lower one gets any. Within one, lanes are dealt out one
    /// at a time, in the order of the sweeps' ids, to those that want more: no sweep has more than one lane more than another that wants
    /// it.
    /// </summary>
    public static IReadOnlyDictionary<string, int> Divide(int lanes, IReadOnlyList<LaneRequest> requests)
    {
        var shares = requests.ToDictionary(request => request.Sweep, _ => 0);
        foreach (var level in requests.GroupBy(request => request.Priority).OrderByDescending(level => level.Key))
        {
            var hungry = level.Where(request => request.Wanted > 0).OrderBy(request => request.Sweep, StringComparer.Ordinal).ToList();
            while (lanes > 0 && hungry.Count > 0)
            {
                foreach (var request in hungry.Take(lanes)) shares[request.Sweep]++;
                lanes -= Math.Min(lanes, hungry.Count);
                hungry.RemoveAll(request => shares[request.Sweep] >= request.Wanted);
            }
        }
        return shares;
    }
}
