namespace MedMerge.Experiments;

/// <summary>Tells the time left from the work done since the start. Work that was kept from an earlier run counts as done, not as pace.</summary>
/// <param name="total">The plan's cost.</param>
internal sealed class Pace(double total, TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();
    private double _kept, _done, _current, _within;

    /// <summary>The share of all work that is done.</summary>
    public double Share => total == 0 ? 1 : Math.Min(1, (_kept + _done + (_current * _within)) / total);

    /// <summary>The expected time left; null until a hundredth of the work gives a pace.</summary>
    public TimeSpan? Left
    {
        get
        {
            var worked = _done + (_current * _within);
            if (worked < 0.01 * total) return null;
            return time.GetElapsedTime(_start) * (Math.Max(0, total - _kept - worked) / worked);
        }
    }

    /// <summary>A stage came from the store.</summary>
    public void Kept(double cost) => _kept += cost;

    /// <summary>A stage begins.</summary>
    public void Begin(double cost) => (_current, _within) = (cost, 0);

    /// <summary>It has come so far, 0 to 1.</summary>
    public void Within(double share) => _within = share;

    /// <summary>It has ended.</summary>
    public void End() => (_done, _current, _within) = (_done + _current, 0, 0);
}
