using System.Text.Json.Serialization;
using MedMerge.Grains;

namespace MedMerge.Storage;

/// <summary>
/// A sweep's record as its object holds it: outcomes that do not change any more are in segments, so that a change costs the same at ten
/// trials and at ten thousand.
/// </summary>
/// <param name="Counts">Of all trials: for lists, which read no segment.</param>
/// <param name="Segments">Names of the segments, oldest first.</param>
/// <param name="Nodes">The nodes that run trials, each once.</param>
/// <param name="Recent">Trials that no segment holds, by number.</param>
/// <param name="Steering">Null where there is none, as in the record of an older version.</param>
internal sealed record SweepHead(
    string Name,
    string Specification,
    string Plan,
    IReadOnlyList<string> Inputs,
    WorkState State,
    DateTimeOffset Submitted,
    TrialCounts Counts,
    IReadOnlyList<string> Segments,
    IReadOnlyList<string> Nodes,
    SortedDictionary<int, StoredTrial> Recent,
    string? Reason,
    string? Trace,
    string? Owner,
    SweepLimits? Limits,
    double DeviceSeconds,
    int Revision,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Submitter,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<SteeringAction>? Steering)
{
    private const string Older = "It was kept by an older version. Resuming it plans it again; finished stages are not computed again.";

    /// <summary>
    /// The head of an older version, which had all trials in one list, without them: once it is resumed they are planned again, and those
    /// that were done find their outputs.
    /// </summary>
    public SweepHead Upgraded() => Segments is not null ? this : this with
    {
        State = WorkState.Paused,
        Counts = new TrialCounts(0),
        Segments = [],
        Nodes = [],
        Recent = [],
        Reason = Older,
        Owner = null,
    };

    public static SweepHead Of(SweepRecord record)
    {
        var nodes = record.Trials.Recent.Values.SelectMany(trial => trial.Nodes).Distinct().Order(StringComparer.Ordinal).ToList();
        return new SweepHead(
            record.Name,
            record.Specification,
            record.Plan,
            record.Inputs,
            record.State,
            record.Submitted,
            record.Trials.Counts,
            record.Trials.Segments,
            nodes,
            StoredTrial.Of(record.Trials.Recent, nodes),
            record.Reason,
            record.Trace,
            record.Owner,
            record.Limits,
            record.DeviceSeconds,
            record.Revision,
            record.Submitter,
            record.Steering.Count == 0 ? null : record.Steering);
    }

    /// <summary>The whole record.</summary>
    /// <param name="segments">What the segments hold, in their order.</param>
    public SweepRecord Load(IEnumerable<IReadOnlyDictionary<int, TrialRecord>> segments) => new(
        Name,
        Specification,
        Plan,
        Inputs,
        State,
        Submitted,
        SweepTrials.Load(Counts.Total, Segments, segments, StoredTrial.Load(Recent, Nodes)),
        Reason,
        Trace,
        Owner)
    {
        Limits = Limits,
        DeviceSeconds = DeviceSeconds,
        Revision = Revision,
        Submitter = Submitter,
        Steering = Steering ?? [],
    };
}

/// <summary>A segment: outcomes of trials, written once.</summary>
/// <param name="Trials">By number.</param>
internal sealed record SweepSegment(SortedDictionary<int, StoredTrial> Trials);

/// <summary>A trial's record as a head or a segment holds it, without what is as usual.</summary>
/// <param name="On">Positions of its nodes among the head's.</param>
internal sealed record StoredTrial(
    WorkState State,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Attempt = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Failures = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int NodeDeaths = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] FailureKind? Kind = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Trace = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] StoredProgress? ProgressAtDeath = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<int>? On = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Rung = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<double?>? Scores = null)
{
    public static SortedDictionary<int, StoredTrial> Of(IReadOnlyDictionary<int, TrialRecord> trials, List<string> nodes) =>
        new(trials.ToDictionary(trial => trial.Key, trial => Of(trial.Value, nodes)));

    public static Dictionary<int, TrialRecord> Load(SortedDictionary<int, StoredTrial> trials, IReadOnlyList<string> nodes) =>
        trials.ToDictionary(trial => trial.Key, trial => trial.Value.Load(nodes));

    private static StoredTrial Of(TrialRecord trial, List<string> nodes) => new(
        trial.State,
        trial.Attempt,
        trial.Failures,
        trial.NodeDeaths,
        trial.Reason,
        trial.Kind,
        trial.Trace,
        trial.ProgressAtDeath,
        trial.Nodes.Count == 0 ? null : [.. trial.Nodes.Select(node => nodes.IndexOf(node))],
        trial.Rung,
        trial.Scores.Count == 0 ? null : trial.Scores);

    private TrialRecord Load(IReadOnlyList<string> nodes) =>
        new(State, Attempt, Failures, NodeDeaths, Reason, Kind, Trace, ProgressAtDeath)
        {
            Nodes = [.. (On ?? []).Select(i => nodes[i])],
            Rung = Rung,
            Scores = Scores ?? [],
        };
}
