using MedMerge.Experiments.Planning;

namespace MedMerge.Grains.Running;

/// <summary>
/// A sweep's progress and remaining time, from its stages' expected cost. Outputs that were in the store count as done,
/// but not for the rate. A status costs what it reports, not what has ended before.
/// </summary>
/// <param name="stages">The plan's, each once.</param>
internal sealed class SweepProgress(IReadOnlyList<StageSummary> stages, TimeProvider time)
{
    private const double MinFraction = 0.01;
    private readonly long _start = time.GetTimestamp();
    private readonly Dictionary<string, double> _costs = stages.ToDictionary(stage => stage.Key, stage => stage.Cost);
    private readonly double _total = stages.Sum(stage => stage.Cost);
    private readonly HashSet<string> _kept = [];
    private readonly HashSet<string> _computed = [];
    private readonly Dictionary<string, double> _within = [];
    private double _keptCost;
    private double _computedCost;

    /// <summary>Of all work, 0 to 1.</summary>
    public double CompletedFraction => _total == 0 ? 1 : Math.Min(1, (_keptCost + Worked) / _total);

    /// <summary>The expected time left; null until a hundredth of the work has been computed.</summary>
    public TimeSpan? EstimatedRemaining => Worked == 0 || Worked < MinFraction * _total
        ? null
        : time.GetElapsedTime(_start) * (Math.Max(0, _total - _keptCost - Worked) / Worked);

    private double Worked => _computedCost + _within.Values.Sum();

    /// <summary>These stages had their output before the sweep was resumed.</summary>
    public void MarkCached(IEnumerable<StageSummary> stages)
    {
        foreach (var stage in stages) MarkKept(stage.Key);
    }

    /// <summary>Takes a trial's status into account.</summary>
    public void OnStatus(TrialStatus status)
    {
        foreach (var key in status.Computed) MarkComputed(key);
        foreach (var key in status.Kept) MarkKept(key);
        if (status.Progress is { Epoch: { } epoch, Epochs: > 0 } progress && !HasEnded(progress.Key))
            _within[progress.Key] = CostOf(progress.Key) * epoch / progress.Epochs;
    }

    /// <summary>One trial finds what another has computed, and may report it first: then it was computed all the same.</summary>
    private void MarkComputed(string key)
    {
        _within.Remove(key);
        if (!_computed.Add(key)) return;
        _computedCost += CostOf(key);
        if (_kept.Remove(key)) _keptCost -= CostOf(key);
    }

    private void MarkKept(string key)
    {
        _within.Remove(key);
        if (!_computed.Contains(key) && _kept.Add(key)) _keptCost += CostOf(key);
    }

    private bool HasEnded(string key) => _computed.Contains(key) || _kept.Contains(key);

    private double CostOf(string key) => _costs.GetValueOrDefault(key);
}
