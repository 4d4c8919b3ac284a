using MedMerge.Experiments.Planning;

namespace MedMerge.Grains.Running;

/// <summary>
/// What a sweep does at the moment, as far as this node knows: its plan, the statuses of running trials, its progress.
/// Kept nowhere.
/// </summary>
internal sealed class SweepActivity(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, TrialStatus> _running = [];
    private readonly HashSet<string> _timed = [];
    private double _seconds;
    private SweepProgress? _progress;

    /// <summary>The plan; null before it was loaded.</summary>
    public PlanSummary? Plan { get; private set; }

    /// <summary>Of the plan's expected cost, 0 to 1.</summary>
    public double CompletedFraction => Read(progress => progress?.CompletedFraction ?? 0);

    /// <summary>The expected time left; null where it is not known.</summary>
    public TimeSpan? EstimatedRemaining => Read(progress => progress?.EstimatedRemaining);

    /// <summary>A running trial's stage; null where none is known.</summary>
    /// <param name="trial">From 1.</param>
    public StageProgress? ProgressOf(int trial)
    {
        lock (_gate) return _running.GetValueOrDefault(trial)?.Progress;
    }

    /// <summary>Takes the plan, where it was not loaded before.</summary>
    public PlanSummary WithPlan(PlanSummary plan)
    {
        lock (_gate) return Plan ??= plan;
    }

    /// <summary>Takes another plan instead.</summary>
    public void Replace(PlanSummary plan)
    {
        lock (_gate) Plan = plan;
    }

    /// <summary>The sweep runs from now on.</summary>
    /// <param name="done">The trials that have a result already.</param>
    public void Start(PlanSummary plan, IEnumerable<PlannedTrial> done)
    {
        var progress = new SweepProgress(plan.Stages, time);
        foreach (var trial in done) progress.MarkCached(plan.GetStages(trial));
        lock (_gate) _progress = progress;
    }

    /// <summary>A running trial has reported its status.</summary>
    /// <param name="trial">From 1.</param>
    /// <returns>Whether that is another than before.</returns>
    public bool OnStatus(int trial, TrialStatus status)
    {
        lock (_gate)
        {
            var before = _running.GetValueOrDefault(trial);
            _running[trial] = status;
            _progress?.OnStatus(status);
            foreach (var (stage, seconds) in status.Computed.Zip(status.Seconds))
                if (_timed.Add(stage)) _seconds += seconds ?? 0; // trials that waited for the same stage all report it
            return before?.Progress != status.Progress || before?.Computed.Count != status.Computed.Count;
        }
    }

    /// <summary>The seconds of devices that stages have taken of which it was reported since the last call.</summary>
    public double TakeSeconds()
    {
        lock (_gate)
        {
            var seconds = _seconds;
            _seconds = 0;
            return seconds;
        }
    }

    /// <summary>A trial no longer runs.</summary>
    /// <param name="trial">From 1.</param>
    public void OnStopped(int trial)
    {
        lock (_gate) _running.Remove(trial);
    }

    private T Read<T>(Func<SweepProgress?, T> read)
    {
        lock (_gate) return read(_progress);
    }
}
