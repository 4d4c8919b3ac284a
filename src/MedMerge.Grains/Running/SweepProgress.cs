using MedMerge.Experiments.Planning;

namespace MedMerge.Grains.Running;

/// <summary>
/// A sweep's progress and remaining time, from its stages' expected cost. Outputs that were in the store count as done,
/// but not for the rate.
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

    /// <summary>Of all work, 0 to 1.</summary>
    public double CompletedFraction => _total == 0 ? 1 : Math.Min(1, (Sum(_kept) + Worked) / _total);

    /// <summary>The expected time left; null until a hundredth of the work has been computed.</summary>
    public TimeSpan? EstimatedRemaining => Worked == 0 || Worked < MinFraction * _total
        ? null
        : time.GetElapsedTime(_start) * (Math.Max(0, _total - Sum(_kept) - Worked) / Worked);

    private double Worked => Sum(_computed) + _within.Where(stage => !HasEnded(stage.Key)).Sum(stage => stage.Value);

    /// <summary>These stages had their output before the sweep was resumed.</summary>
    public void MarkCached(IEnumerable<StageSummary> stages) => _kept.UnionWith(stages.Select(stage => stage.Key));

    /// <summary>Takes a trial's status into account.</summary>
    public void OnStatus(TrialStatus status)
    {
        _computed.UnionWith(status.Computed);
        _kept.UnionWith(status.Kept);
        _kept.ExceptWith(_computed); // one trial finds what another has computed, and may report it first
        if (status.Progress is { Epoch: { } epoch, Epochs: > 0 } progress)
            _within[progress.Key] = _costs.GetValueOrDefault(progress.Key) * epoch / progress.Epochs;
    }

    private bool HasEnded(string key) => _computed.Contains(key) || _kept.Contains(key);

    private double Sum(HashSet<string> keys) => keys.Sum(key => _costs.GetValueOrDefault(key));
}
