using System.Text.Json.Serialization;
using MedMerge.Grains;

namespace MedMerge.Storage;

/// <summary>The durable part of a trial.</summary>
/// <param name="State">Waiting, running, done, failed or quarantined.</param>
/// <param name="Attempt">The last one begun, from 1; 0 before the first.</param>
/// <param name="NodeDeaths">How often in a row nodes died that were running its stages, without progress in between.</param>
/// <param name="Nodes">The nodes that run its stages now.</param>
/// <param name="Reason">Why it failed.</param>
/// <param name="Trace">Its traceparent: every attempt, on any node, adds to the same trace. Null where it is not
/// traced.</param>
/// <param name="ProgressAtDeath">How far it was at the last of those deaths; null where there was none.</param>
public sealed record TrialRecord(
    WorkState State,
    int Attempt,
    int NodeDeaths,
    IReadOnlyList<string> Nodes,
    string? Reason,
    string? Trace = null,
    StoredProgress? ProgressAtDeath = null)
{
    /// <summary>Whether it has ended without a result.</summary>
    [JsonIgnore]
    public bool HasFailed => State is WorkState.Failed or WorkState.Quarantined;

    /// <summary>Whether it has not ended.</summary>
    [JsonIgnore]
    public bool IsPending => State is WorkState.Waiting or WorkState.Running;

    /// <summary>
    /// The attempt to run next: a trial that was under way when its sweep's node died continues the attempt it was at.
    /// </summary>
    [JsonIgnore]
    public int NextAttempt => State == WorkState.Running ? Math.Max(1, Attempt) : Attempt + 1;

    /// <summary>A trial that has not begun.</summary>
    public static TrialRecord Waiting(string? trace) => new(WorkState.Waiting, 0, 0, [], null, trace);

    /// <summary>Begins an attempt.</summary>
    public TrialRecord Started(int attempt, string? trace) => this with { State = WorkState.Running, Attempt = attempt, Trace = trace };

    /// <summary>Begins another attempt after a failure.</summary>
    public TrialRecord StartedAgain(int attempt, string reason) => this with { Attempt = attempt, Reason = reason };

    /// <summary>Ends with a result.</summary>
    public TrialRecord Done() => this with { State = WorkState.Done, Nodes = [], Reason = null };

    /// <summary>Ends without a result.</summary>
    public TrialRecord Failed(string reason) => this with { State = WorkState.Failed, Nodes = [], Reason = reason };

    /// <summary>Ends without a result, because of its nodes' deaths.</summary>
    public TrialRecord Quarantined(string reason) => this with { State = WorkState.Quarantined, Nodes = [], Reason = reason };

    /// <summary>
    /// Its stages run on the nodes that its status reports. A dead node stays if it was here while alive, until its death is counted,
    /// and is not added: a status may report a node after its death was counted, which would count it again.
    /// </summary>
    public TrialRecord RunningOn(IReadOnlyList<string> reported, Predicate<string> isDead) => this with
    {
        Nodes = [.. reported.Where(node => !isDead(node)), .. Nodes.Where(node => isDead(node))],
    };

    /// <summary>
    /// Nodes died while they ran its stages. Those that die together count once: that is the power or the network, not
    /// the trial. Where it made progress since the last death the count begins anew: a trial that kills its nodes makes
    /// none, and one that takes hours may lose any number of nodes.
    /// </summary>
    /// <param name="dead">The nodes, as <see cref="Nodes"/> names them.</param>
    /// <param name="progress">How far it is.</param>
    public TrialRecord Survived(IReadOnlyList<string> dead, StoredProgress progress) => this with
    {
        NodeDeaths = progress == ProgressAtDeath ? NodeDeaths + 1 : 1,
        ProgressAtDeath = progress,
        Nodes = [.. Nodes.Except(dead)],
    };

    /// <summary>Waits to be tried again where it has failed; otherwise the same.</summary>
    public TrialRecord Retried() =>
        HasFailed ? this with { State = WorkState.Waiting, NodeDeaths = 0, ProgressAtDeath = null, Reason = null } : this;

    /// <summary>Waits to be run again, because an output of it was lost.</summary>
    public TrialRecord Invalidated() => this with { State = WorkState.Waiting };
}
