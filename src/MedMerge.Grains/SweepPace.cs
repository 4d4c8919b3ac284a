using MedMerge.Experiments;

namespace MedMerge.Grains;

/// <summary>
/// How far a sweep is and how long it takes, from its stages' expected cost. What was kept from earlier counts as done, not as pace.
/// </summary>
internal sealed class SweepPace(Plan plan, TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();
    private readonly Dictionary<string, double> _costs = plan.Stages.ToDictionary(stage => stage.Key, stage => stage.Cost);
    private readonly double _total = plan.Stages.Sum(stage => stage.Cost);
    private readonly HashSet<string> _kept = [], _computed = [];
    private readonly Dictionary<string, double> _within = [];

    /// <summary>Of all work, 0 to 1.</summary>
    public double Share => _total == 0 ? 1 : Math.Min(1, (Sum(_kept) + Worked) / _total);

    /// <summary>The expected time left; null until a hundredth of the work gives a pace.</summary>
    public TimeSpan? Left => Worked < 0.01 * _total ? null : time.GetElapsedTime(_start) * (Math.Max(0, _total - Sum(_kept) - Worked) / Worked);

    private double Worked => Sum(_computed) + _within.Where(stage => !_computed.Contains(stage.Key) && !_kept.Contains(stage.Key)).Sum(stage => stage.Value);

    /// <summary>A trial has told where it is.</summary>
    public void Heard(TrialStatus status)
    {
        _computed.UnionWith(status.Computed);
        _kept.UnionWith(status.Kept.Where(key => !_computed.Contains(key)));
        if (status.Progress is { Epoch: { } epoch, Epochs: > 0 } progress)
            _within[progress.Key] = _costs.GetValueOrDefault(progress.Key) * epoch / progress.Epochs;
    }

    private double Sum(HashSet<string> stages) => stages.Sum(key => _costs.GetValueOrDefault(key));
}
