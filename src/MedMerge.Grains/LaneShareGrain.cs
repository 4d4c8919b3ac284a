using MedMerge.Grains.Running;

namespace MedMerge.Grains;

/// <inheritdoc cref="ILaneShareGrain" />
internal sealed class LaneShareGrain(TimeProvider time) : Grain, ILaneShareGrain
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);
    private readonly Dictionary<string, (LaneRequest Request, long Time)> _requests = [];

    /// <inheritdoc />
    public Task<int> GetShareAsync(LaneRequest request)
    {
        foreach (var (sweep, known) in _requests.ToList())
            if (time.GetElapsedTime(known.Time) > Lifetime) _requests.Remove(sweep);
        _requests[request.Sweep] = (request, time.GetTimestamp());
        var shares = LaneDivision.Divide(request.Lanes, [.. _requests.Values.Select(known => known.Request)]);
        return Task.FromResult(shares[request.Sweep]);
    }
}
