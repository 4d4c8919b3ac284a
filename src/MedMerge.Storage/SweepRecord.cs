using MedMerge.Grains;

namespace MedMerge.Storage;

/// <summary>The durable part of a sweep: what it runs, and the outcome of each trial.</summary>
/// <param name="Name">As shown to people.</param>
/// <param name="Specification">SHA-256 of the frozen specification.</param>
/// <param name="Plan">SHA-256 of the plan's summary.</param>
/// <param name="Inputs">SHA-256 of the files that it names.</param>
/// <param name="State">Running, paused, cancelled, done or failed.</param>
/// <param name="Submitted">When it was submitted.</param>
/// <param name="Trials">By number; none before the plan was first read.</param>
/// <param name="Reason">Why it failed as a whole, or what it is waiting for.</param>
/// <param name="Trace">Traceparent of what submitted it; null where it is not traced.</param>
/// <param name="Owner">The cluster that runs it; null for none. An owner changes the record now and then while it runs the
/// sweep.</param>
public sealed record SweepRecord(
    string Name,
    string Specification,
    string Plan,
    IReadOnlyList<string> Inputs,
    WorkState State,
    DateTimeOffset Submitted,
    SweepTrials Trials,
    string? Reason = null,
    string? Trace = null,
    string? Owner = null)
{
    /// <summary>How many changes by users a record keeps.</summary>
    public const int MaxSteering = 50;

    /// <summary>Whether nothing more happens until somebody resumes it.</summary>
    public bool HasEnded => State is WorkState.Done or WorkState.Cancelled or WorkState.Failed;

    /// <summary>How much of it may run, and before which others; null before the plan was first read.</summary>
    public SweepLimits? Limits { get; init; }

    /// <summary>The lanes' time that its trials have used, in seconds.</summary>
    public double DeviceSeconds { get; init; }

    /// <summary>How often it was extended: the same numbers are other trials then.</summary>
    public int Revision { get; init; }

    /// <summary>Who submitted it; null where that is not known.</summary>
    public string? Submitter { get; init; }

    /// <summary>What users have changed, oldest first: the last <see cref="MaxSteering"/>.</summary>
    public IReadOnlyList<SteeringAction> Steering { get; init; } = [];

    /// <summary>A sweep that was just submitted.</summary>
    /// <param name="traces">Traceparents of its trials by number; empty where they are not traced.</param>
    public static SweepRecord Start(
        string name,
        string specification,
        string plan,
        IReadOnlyList<string> inputs,
        IReadOnlyList<string?> traces,
        DateTimeOffset now,
        string? trace)
    {
        var trials = SweepTrials.Create([.. traces.Select(TrialRecord.Waiting)]);
        return new SweepRecord(name, specification, plan, inputs, WorkState.Running, now, trials, Trace: trace);
    }

    /// <summary>The record once the plan says how many trials there are, and within which limits they run.</summary>
    public SweepRecord Planned(int trials, SweepLimits limits) =>
        Trials.Count == trials && Limits is not null
            ? this
            : this with { Trials = Trials.Count == 0 ? SweepTrials.Create(trials) : Trials, Limits = Limits ?? limits };

    /// <summary>
    /// The record after its state was changed by a user; trials of a resumed sweep that have failed, or that a budget left out, are tried
    /// again.
    /// </summary>
    public SweepRecord ChangedTo(WorkState state)
    {
        var changed = this with { State = state, Reason = null, Owner = null };
        return state == WorkState.Running ? changed.Retried(Trials.NumbersWhere(IsResumed)) : changed;
    }

    /// <summary>The record after a user's change; the same where that changes nothing.</summary>
    /// <param name="by">Who makes it; null where nobody is known.</param>
    public SweepRecord Steered(SteeringAction? by, Func<SweepRecord, SweepRecord> change)
    {
        var changed = change(this);
        if (by is null || ReferenceEquals(changed, this)) return changed;
        return changed with { Steering = [.. Steering.TakeLast(MaxSteering - 1), by] };
    }

    /// <summary>The record once every trial has ended; the same where some have not, because a user had them tried again.</summary>
    public SweepRecord Completed() => State != WorkState.Running || Trials.Counts.Pending > 0
        ? this
        : this with { State = WorkState.Done, Reason = WhyIncomplete(), Owner = null };

    /// <summary>The record of a sweep that can't be run.</summary>
    public SweepRecord Failed(string reason) => this with { State = WorkState.Failed, Reason = reason, Owner = null };

    /// <summary>The record of a sweep that a cluster runs; null for none.</summary>
    public SweepRecord OwnedBy(string? owner) => this with { Owner = owner };

    /// <summary>The record with what a running sweep is waiting for; null for nothing.</summary>
    public SweepRecord WaitingFor(string? reason) => State == WorkState.Running ? this with { Reason = reason } : this;

    /// <summary>
    /// The record of a sweep some of whose trials must run again, because an output of theirs was lost. A sweep that
    /// was done runs again; one that its user has stopped, or that can't run, does not.
    /// </summary>
    /// <param name="trials">Their numbers.</param>
    public SweepRecord Invalidated(IEnumerable<int> trials) =>
        Restarted() with { Trials = Trials.WithAll(trials, trial => trial.Invalidated()) };

    /// <summary>The record with trials that are tried again, whatever became of them; a sweep that was done runs again.</summary>
    /// <param name="trials">Their numbers; those that have a result or have not ended stay as they are.</param>
    public SweepRecord Retried(IEnumerable<int> trials)
    {
        var retried = Trials.WithAll(trials, trial => trial.IsPending || trial.State == WorkState.Done ? trial : trial.Retried());
        return ReferenceEquals(retried, Trials) ? this : Restarted() with { Trials = retried };
    }

    /// <summary>The record with trials that are not run, or no longer.</summary>
    /// <param name="reason">Why.</param>
    public SweepRecord WithoutTrials(IEnumerable<int> trials, string reason) =>
        this with { Trials = Trials.WithAll(trials, trial => trial.Cancelled(reason)) };

    /// <summary>The record with one trial changed.</summary>
    /// <param name="number">From 1.</param>
    public SweepRecord WithTrial(int number, Func<TrialRecord, TrialRecord> change)
    {
        var trials = Trials.With(number, change(Trials.Get(number)));
        return ReferenceEquals(trials, Trials) ? this : this with { Trials = trials };
    }

    private string? WhyIncomplete()
    {
        var leftOut = Trials.Counts.Cancelled == 0 ? 0 : Trials.Count(trial => trial.Reason == TrialRecord.LeftOutByBudget);
        return leftOut == 0
            ? null
            : $"The budget was spent before {leftOut} of {Trials.Count} trials began. With a larger one, resuming the sweep runs them.";
    }

    /// <summary>Whether resuming the sweep tries a trial again.</summary>
    public static bool IsResumed(TrialRecord trial) => trial.HasFailed || trial.Reason == TrialRecord.LeftOutByBudget;

    private SweepRecord Restarted() => State == WorkState.Done ? this with { State = WorkState.Running, Reason = null } : this;
}
