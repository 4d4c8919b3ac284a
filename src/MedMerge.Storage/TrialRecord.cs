using MedMerge.Grains;

namespace MedMerge.Storage;

/// <summary>The durable part of a trial.</summary>
/// <param name="State">Waiting, running, done, stopped early, failed, cancelled or quarantined.</param>
/// <param name="Attempt">The last one begun, from 1; 0 before the first.</param>
/// <param name="Failures">How many attempts have failed since the trial was begun or retried.</param>
/// <param name="NodeDeaths">How often in a row nodes died that were running its stages, without progress in between.</param>
/// <param name="Reason">Why it failed, or is not run.</param>
/// <param name="Kind">Of the failure that ended it.</param>
/// <param name="Trace">Its traceparent: every attempt, on any node, adds to the same trace. Null where it is not
/// traced.</param>
/// <param name="ProgressAtDeath">How far it was at the last of those deaths; null where there was none.</param>
public sealed record TrialRecord(
    WorkState State,
    int Attempt = 0,
    int Failures = 0,
    int NodeDeaths = 0,
    string? Reason = null,
    FailureKind? Kind = null,
    string? Trace = null,
    StoredProgress? ProgressAtDeath = null)
{
    /// <summary>The reason of a trial that a spent budget left out.</summary>
    public const string LeftOutByBudget = "The sweep's budget was spent before it began.";

    /// <summary>The reason of a trial that a user skipped.</summary>
    public const string SkippedByUser = "It was skipped.";

    /// <summary>A trial of which nothing is kept.</summary>
    public static TrialRecord Unknown { get; } = new(WorkState.Waiting);

    /// <summary>The nodes that run its stages now.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];

    /// <summary>The rung of a search that it may run to, from 0.</summary>
    public int Rung { get; init; }

    /// <summary>Its scores on the validation split at the rungs that it has come to; null where training diverged.</summary>
    public IReadOnlyList<double?> Scores { get; init; } = [];

    /// <summary>Whether it waits at a rung until it is known whether it goes on.</summary>
    public bool IsHeld => State == WorkState.Waiting && Scores.Count > Rung;

    /// <summary>Whether it may begin.</summary>
    public bool IsStartable => State == WorkState.Waiting && !IsHeld;

    /// <summary>Whether it has ended without a result, though it should have one.</summary>
    public bool HasFailed => State is WorkState.Failed or WorkState.Quarantined;

    /// <summary>Whether it has not ended.</summary>
    public bool IsPending => State is WorkState.Waiting or WorkState.Running;

    /// <summary>A trial that has not begun.</summary>
    public static TrialRecord Waiting(string? trace) => new(WorkState.Waiting, Trace: trace);

    /// <summary>
    /// Begins: a trial that was under way when its sweep's node died continues the attempt it was at. One that has ended, or was
    /// skipped meanwhile, does not begin.
    /// </summary>
    public TrialRecord Started(string? trace) => State switch
    {
        WorkState.Waiting => this with { State = WorkState.Running, Attempt = Attempt + 1, Trace = trace },
        WorkState.Running => this with { Trace = trace },
        _ => this,
    };

    /// <summary>Begins another attempt after a failure.</summary>
    public TrialRecord StartedAgain(string reason) => this with { Attempt = Attempt + 1, Failures = Failures + 1, Reason = reason };

    /// <summary>Ends with a result.</summary>
    public TrialRecord Done() => this with { State = WorkState.Done, Nodes = [], Reason = null, Failures = 0, Kind = null };

    /// <summary>Waits at its rung.</summary>
    /// <param name="score">On the validation split; null where training diverged.</param>
    public TrialRecord Reached(double? score) => this with
    {
        State = WorkState.Waiting,
        Scores = [.. Scores, score],
        Nodes = [],
        Reason = null,
        Failures = 0,
    };

    /// <summary>Goes on from a rung to the next, if it waits there or was stopped.</summary>
    public TrialRecord Promoted(int rung) =>
        IsHeld || State == WorkState.StoppedEarly ? this with { State = WorkState.Waiting, Rung = rung, Reason = null } : this;

    /// <summary>Ends at a rung.</summary>
    public TrialRecord StoppedEarly(string reason) => this with { State = WorkState.StoppedEarly, Reason = reason };

    /// <summary>Ends without a result.</summary>
    public TrialRecord Failed(FailureKind kind, string reason) =>
        this with { State = WorkState.Failed, Nodes = [], Reason = reason, Kind = kind };

    /// <summary>Ends without a result, because of its nodes' deaths.</summary>
    public TrialRecord Quarantined(string reason) => this with { State = WorkState.Quarantined, Nodes = [], Reason = reason };

    /// <summary>Is not run, or no longer, unless it has ended.</summary>
    /// <param name="reason">Why.</param>
    public TrialRecord Cancelled(string reason) =>
        IsPending ? this with { State = WorkState.Cancelled, Nodes = [], Reason = reason } : this;

    /// <summary>
    /// Its stages run on the nodes that its status reports. A dead node stays if it was here while alive, until its death is counted,
    /// and is not added: a status may report a node after its death was counted, which would count it again.
    /// </summary>
    public TrialRecord RunningOn(IReadOnlyList<string> reported, Predicate<string> isDead)
    {
        if (State != WorkState.Running) return this;
        string[] nodes = [.. reported.Where(node => !isDead(node)), .. Nodes.Where(node => isDead(node))];
        return nodes.ToHashSet().SetEquals(Nodes) ? this : this with { Nodes = nodes };
    }

    /// <summary>
    /// Nodes died while they ran its stages. Those that die together count once: that is the power or the network, not
    /// the trial. Where it made progress since the last death the count begins anew: a trial that kills its nodes makes
    /// none, and one that takes hours may lose any number of nodes.
    /// </summary>
    /// <param name="dead">The nodes, as <see cref="Nodes"/> names them.</param>
    /// <param name="progress">How far it is.</param>
    public TrialRecord Survived(IReadOnlyList<string> dead, StoredProgress progress)
    {
        if (State != WorkState.Running) return this;
        return this with
        {
            NodeDeaths = progress == ProgressAtDeath ? NodeDeaths + 1 : 1,
            ProgressAtDeath = progress,
            Nodes = [.. Nodes.Except(dead)],
        };
    }

    /// <summary>Waits to be tried again.</summary>
    public TrialRecord Retried() => this with
    {
        State = WorkState.Waiting,
        Failures = 0,
        NodeDeaths = 0,
        ProgressAtDeath = null,
        Reason = null,
        Kind = null,
        Nodes = [],
    };

    /// <summary>Waits to be run again, because an output of it was lost.</summary>
    public TrialRecord Invalidated() => State is WorkState.Cancelled ? this : Retried();
}
