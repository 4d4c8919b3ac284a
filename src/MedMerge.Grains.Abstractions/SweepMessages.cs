namespace MedMerge.Grains;

/// <summary>Starts a sweep.</summary>
/// <param name="Name">As shown to people.</param>
/// <param name="Specification">SHA-256 of the frozen specification, an artefact.</param>
/// <param name="Plan">SHA-256 of the plan's summary, an artefact.</param>
/// <param name="Traces">Traceparent of every trial, by number, where the submitter traces; empty otherwise.</param>
[GenerateSerializer, Immutable]
public sealed record StartSweep(
    [property: Id(0)] string Name,
    [property: Id(1)] string Specification,
    [property: Id(2)] string Plan,
    [property: Id(3)] IReadOnlyList<string?> Traces);

/// <summary>A sweep's status.</summary>
/// <param name="Version">Grows with every change, within one activation of the grain.</param>
/// <param name="CompletedFraction">Of the plan's expected cost, 0 to 1; stages whose output was in the store count as
/// done.</param>
/// <param name="EstimatedSecondsRemaining">Extrapolated from the work done so far; null until enough is done.</param>
/// <param name="Trials">Every trial, by number.</param>
/// <param name="Reason">Why the sweep as a whole failed, or what it is waiting for.</param>
[GenerateSerializer, Immutable]
public sealed record SweepStatus(
    [property: Id(0)] string Id,
    [property: Id(1)] string Name,
    [property: Id(2)] WorkState State,
    [property: Id(3)] long Version,
    [property: Id(4)] double CompletedFraction,
    [property: Id(5)] double? EstimatedSecondsRemaining,
    [property: Id(6)] IReadOnlyList<TrialSummary> Trials,
    [property: Id(7)] string? Reason)
{
    /// <summary>How many trials have a result.</summary>
    public int Done => Trials.Count(trial => trial.State == WorkState.Done);

    /// <summary>Whether nothing more happens until somebody resumes it.</summary>
    public bool HasEnded => State is WorkState.Done or WorkState.Cancelled or WorkState.Failed or WorkState.Damaged;

    /// <summary>The status of a sweep whose record can't be read.</summary>
    public static SweepStatus Damaged(string id, string reason) => new(id, id, WorkState.Damaged, 0, 0, null, [], reason);
}

/// <summary>A trial's status.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Attempt">From 1; 0 before it began.</param>
/// <param name="Progress">The running stage; null where none is.</param>
/// <param name="Reason">Why it failed; kept exactly.</param>
/// <param name="Scenario">The scenario's name; null where the sweep has only one.</param>
[GenerateSerializer, Immutable]
public sealed record TrialSummary(
    [property: Id(0)] int Number,
    [property: Id(1)] string Method,
    [property: Id(2)] ulong Seed,
    [property: Id(3)] WorkState State,
    [property: Id(4)] int Attempt,
    [property: Id(5)] StageProgress? Progress,
    [property: Id(6)] string? Reason,
    [property: Id(7)] string? Scenario = null)
{
    /// <summary>Scenario and method, as tables and progress show them.</summary>
    public string Title => Scenario is null ? Method : $"{Scenario}: {Method}";
}

/// <summary>A running stage's progress.</summary>
/// <param name="Epoch">The last finished epoch; null before the first and for stages without.</param>
/// <param name="Epochs">How many there will be; 0 for stages without.</param>
/// <param name="Loss">On the training images, in nats.</param>
/// <param name="MacroF1">On the validation split.</param>
/// <param name="Node">The silo that runs it.</param>
/// <param name="Key">The stage's key.</param>
[GenerateSerializer, Immutable]
public sealed record StageProgress(
    [property: Id(0)] string Stage,
    [property: Id(1)] int? Epoch,
    [property: Id(2)] int Epochs,
    [property: Id(3)] double? Loss,
    [property: Id(4)] double? MacroF1,
    [property: Id(5)] string Node,
    [property: Id(6)] string Key);
