namespace MedMerge.Grains.Running;

/// <summary>In which order trials have changed last, so that those who follow a sweep get what is new and no more. Kept nowhere.</summary>
internal sealed class TrialVersions
{
    private readonly Dictionary<int, long> _positions = [];
    private readonly SortedSet<(long Position, int Trial)> _inOrder = [];
    private long _last;

    /// <summary>The position of the last change.</summary>
    public long Last => _last;

    /// <summary>A trial has changed.</summary>
    public void Mark(int trial)
    {
        if (_positions.TryGetValue(trial, out var before)) _inOrder.Remove((before, trial));
        _positions[trial] = ++_last;
        _inOrder.Add((_last, trial));
    }

    /// <summary>Trials that have changed after a position, in the order of their changes.</summary>
    /// <param name="next">The position that what is returned reaches to.</param>
    public IReadOnlyList<int> After(long position, int count, out long next)
    {
        next = Math.Max(position, _last);
        if (position >= _last || _inOrder.Count == 0) return [];
        var found = _inOrder.GetViewBetween((position + 1, 0), (_last, int.MaxValue)).Take(count).ToList();
        if (found.Count == count) next = found[^1].Position;
        return [.. found.Select(change => change.Trial)];
    }
}
