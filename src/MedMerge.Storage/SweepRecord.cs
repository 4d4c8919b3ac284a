using System.Text.Json.Serialization;
using MedMerge.Grains;

namespace MedMerge.Storage;

/// <summary>The durable part of a sweep: what it runs, and the outcome of each trial.</summary>
/// <param name="Name">As shown to people.</param>
/// <param name="Specification">SHA-256 of the frozen specification.</param>
/// <param name="Plan">SHA-256 of the plan's summary.</param>
/// <param name="Inputs">SHA-256 of the files that it names.</param>
/// <param name="State">Running, paused, cancelled, done or failed.</param>
/// <param name="Submitted">When it was submitted.</param>
/// <param name="Trials">By number; empty before the plan was first built.</param>
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
    IReadOnlyList<TrialRecord> Trials,
    string? Reason = null,
    string? Trace = null,
    string? Owner = null)
{
    /// <summary>Whether nothing more happens until somebody resumes it.</summary>
    [JsonIgnore]
    public bool HasEnded => State is WorkState.Done or WorkState.Cancelled or WorkState.Failed;

    /// <summary>A sweep that was just submitted.</summary>
    /// <param name="traces">Traceparents of its trials by number; empty where they are not traced.</param>
    public static SweepRecord Start(
        string name,
        string specification,
        string plan,
        IReadOnlyList<string> inputs,
        IReadOnlyList<string?> traces,
        DateTimeOffset now,
        string? trace) =>
        new(name, specification, plan, inputs, WorkState.Running, now, [.. traces.Select(TrialRecord.Waiting)], Trace: trace);

    /// <summary>
    /// The record after its state was changed by a user; failed trials of a resumed sweep are tried again.
    /// </summary>
    public SweepRecord ChangedTo(WorkState state) => this with
    {
        State = state,
        Reason = null,
        Owner = null,
        Trials = state == WorkState.Running ? [.. Trials.Select(trial => trial.Retried())] : Trials,
    };

    /// <summary>The record once every trial has ended.</summary>
    public SweepRecord Completed() => this with { State = WorkState.Done, Reason = null, Owner = null };

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
    public SweepRecord Invalidated(IReadOnlySet<int> trials) => this with
    {
        State = State == WorkState.Done ? WorkState.Running : State,
        Trials = [.. Trials.Select((trial, i) => trials.Contains(i + 1) ? trial.Invalidated() : trial)],
    };

    /// <summary>The record with one trial changed.</summary>
    /// <param name="number">From 1.</param>
    public SweepRecord WithTrial(int number, Func<TrialRecord, TrialRecord> change) => this with
    {
        Trials = [.. Trials.Select((trial, i) => i == number - 1 ? change(trial) : trial)],
    };
}
