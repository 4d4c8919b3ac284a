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

/// <summary>A sweep's status, as large at ten thousand trials as at ten: single trials come in <see cref="TrialPage"/>s.</summary>
/// <param name="Version">Grows with every change, within one activation of the grain.</param>
/// <param name="CompletedFraction">Of the plan's expected cost, 0 to 1; stages whose output was in the store count as
/// done.</param>
/// <param name="EstimatedSecondsRemaining">Extrapolated from the work done so far; null until enough is done.</param>
/// <param name="Counts">How many trials are in each state.</param>
/// <param name="Running">The trials that run, at most <see cref="MaxRunning"/>.</param>
/// <param name="Reason">Why the sweep as a whole failed, or what it is waiting for.</param>
/// <param name="Limits">How much of it may run.</param>
/// <param name="DeviceHours">The lanes' time that it has used, in hours.</param>
/// <param name="Submitter">Who submitted it; null where that is not known.</param>
/// <param name="Steering">What users have changed of it lately, oldest first; null from a node of an older version.</param>
[GenerateSerializer, Immutable]
public sealed record SweepStatus(
    [property: Id(0)] string Id,
    [property: Id(1)] string Name,
    [property: Id(2)] WorkState State,
    [property: Id(3)] long Version,
    [property: Id(4)] double CompletedFraction,
    [property: Id(5)] double? EstimatedSecondsRemaining,
    [property: Id(6)] TrialCounts Counts,
    [property: Id(7)] IReadOnlyList<TrialSummary> Running,
    [property: Id(8)] string? Reason,
    [property: Id(9)] SweepLimits Limits,
    [property: Id(10)] double DeviceHours,
    [property: Id(11)] string? Submitter = null,
    [property: Id(12)] IReadOnlyList<SteeringAction>? Steering = null)
{
    /// <summary>The version of one who knows none: the status is answered at once.</summary>
    public const long NoVersion = -1;

    /// <summary>How many running trials a status names at most.</summary>
    public const int MaxRunning = 64;

    /// <summary>Whether nothing more happens until somebody resumes it.</summary>
    public bool HasEnded => State is WorkState.Done or WorkState.Cancelled or WorkState.Failed or WorkState.Damaged;

    /// <summary>Whether every trial has a result, or was stopped because others are better.</summary>
    public bool IsComplete => State == WorkState.Done && Counts.Done + Counts.StoppedEarly == Counts.Total;

    /// <summary>The status of a sweep whose record can't be read.</summary>
    public static SweepStatus Damaged(string id, string reason) =>
        new(id, id, WorkState.Damaged, 0, 0, null, new TrialCounts(0), [], reason, SweepLimits.None, 0);
}

/// <summary>Asks for some of a sweep's trials.</summary>
/// <param name="From">The first number to look at, from 1.</param>
/// <param name="Count">How many at most, to <see cref="TrialPage.MaxTrials"/>.</param>
/// <param name="State">Only those in this state; null for any.</param>
/// <param name="Kind">Only those that failed of this kind; null for any.</param>
/// <param name="ChangedAfter">
/// Only those that have changed after this position, in the order of their changes; null for all, by number.
/// </param>
[GenerateSerializer, Immutable]
public sealed record TrialQuery(
    [property: Id(0)] int From = 1,
    [property: Id(1)] int Count = TrialPage.MaxTrials,
    [property: Id(2)] WorkState? State = null,
    [property: Id(3)] FailureKind? Kind = null,
    [property: Id(4)] long? ChangedAfter = null);

/// <summary>Some of a sweep's trials.</summary>
/// <param name="Position">
/// Of the last change that they include; a query with it as <see cref="TrialQuery.ChangedAfter"/> gets what comes after. It means nothing
/// to another activation of the grain, which has an <paramref name="Activation"/> of its own.
/// </param>
/// <param name="Next">Where the next page begins; null where this is the last.</param>
[GenerateSerializer, Immutable]
public sealed record TrialPage(
    [property: Id(0)] long Position,
    [property: Id(1)] Guid Activation,
    [property: Id(2)] IReadOnlyList<TrialSummary> Trials,
    [property: Id(3)] int? Next)
{
    /// <summary>How many trials a page has at most.</summary>
    public const int MaxTrials = 500;
}

/// <summary>Chooses trials to try again.</summary>
/// <param name="Numbers">Their numbers; empty for all that have failed or are quarantined.</param>
/// <param name="Kind">Of those, only the ones that failed of this kind; null for any.</param>
[GenerateSerializer, Immutable]
public sealed record TrialChoice(
    [property: Id(0)] IReadOnlyList<int> Numbers,
    [property: Id(1)] FailureKind? Kind = null);

/// <summary>A trial's status.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Attempt">From 1; 0 before it began.</param>
/// <param name="Progress">The running stage; null where none is.</param>
/// <param name="Reason">Why it failed; kept exactly.</param>
/// <param name="Scenario">The scenario's name; null where the sweep has only one.</param>
/// <param name="Kind">Of the failure that ended it; null where none did.</param>
[GenerateSerializer, Immutable]
public sealed record TrialSummary(
    [property: Id(0)] int Number,
    [property: Id(1)] string Method,
    [property: Id(2)] ulong Seed,
    [property: Id(3)] WorkState State,
    [property: Id(4)] int Attempt,
    [property: Id(5)] StageProgress? Progress,
    [property: Id(6)] string? Reason,
    [property: Id(7)] string? Scenario = null,
    [property: Id(8)] FailureKind? Kind = null)
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
