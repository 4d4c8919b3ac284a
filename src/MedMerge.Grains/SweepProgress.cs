using MedMerge.Experiments.Stages;

namespace MedMerge.Grains;

/// <summary>
/// How far a sweep is and how long it takes, from its stages' expected cost. What was kept from earlier counts as done, not as pace.
/// </summary>
/// <param name="stages">The plan's, each once.</param>
internal sealed class SweepProgress(IReadOnlyList<Stage> stages, TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();
    private readonly Dictionary<string, double> _costs = stages.ToDictionary(stage => stage.Key, stage => stage.Cost);
    private readonly double _total = stages.Sum(stage => stage.Cost);
    private readonly HashSet<string> _kept = [], _computed = [];
    private readonly Dictionary<string, double> _within = [];

    /// <summary>Of all work, 0 to 1.</summary>
    public double CompletedFraction => _total == 0 ? 1 : Math.Min(1, (Sum(_kept) + Worked) / _total);

    /// <summary>The expected time left; null until a hundredth of the work gives a pace.</summary>
    public TimeSpan? EstimatedRemaining => Worked == 0 || Worked < 0.01 * _total ? null : time.GetElapsedTime(_start) * (Math.Max(0, _total - Sum(_kept) - Worked) / Worked);

    private double Worked => Sum(_computed) + _within.Where(stage => !_computed.Contains(stage.Key) && !_kept.Contains(stage.Key)).Sum(stage => stage.Value);

    /// <summary>A trial had its result before this run began.</summary>
    public void MarkCached(IEnumerable<Stage> stages) => _kept.UnionWith(stages.Select(stage => stage.Key));

    /// <summary>A trial has told where it is.</summary>
    public void OnStatus(TrialStatus status)
    {
        _computed.UnionWith(status.Computed);
        _kept.UnionWith(status.Kept);
        _kept.ExceptWith(_computed); // one trial finds what another has computed, and may tell first
        if (status.Progress is { Epoch: { } epoch, Epochs: > 0 } progress)
            _within[progress.Key] = _costs.GetValueOrDefault(progress.Key) * epoch / progress.Epochs;
    }

    private double Sum(HashSet<string> keys) => keys.Sum(key => _costs.GetValueOrDefault(key));
}
