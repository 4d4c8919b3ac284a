namespace MedMerge.Grains;

/// <summary>What a sweep runs.</summary>
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

/// <summary>What a sweep or a trial is at.</summary>
[GenerateSerializer]
public enum WorkState
{
    /// <summary>Not begun.</summary>
    Waiting,

    /// <summary>Under way.</summary>
    Running,

    /// <summary>Stopped until it is resumed.</summary>
    Paused,

    /// <summary>Stopped for good.</summary>
    Cancelled,

    /// <summary>Ended with a result; of a sweep: every trial has ended.</summary>
    Done,

    /// <summary>Ended without a result.</summary>
    Failed,

    /// <summary>Left out, for several nodes died under it.</summary>
    Quarantined,
}

/// <summary>Where a sweep is.</summary>
/// <param name="Version">Grows with every change, within one activation of the grain.</param>
/// <param name="CompletedFraction">Of the plan's expected cost, 0 to 1; stages that were kept from earlier count as done.</param>
/// <param name="EstimatedSecondsRemaining">Expected, from the pace so far; null before there is one.</param>
/// <param name="Trials">Every trial, by number.</param>
/// <param name="Reason">Why the sweep as a whole failed, or what it waits for.</param>
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

    /// <summary>Whether nothing more will happen by itself.</summary>
    public bool HasEnded => State is WorkState.Done or WorkState.Cancelled or WorkState.Failed;
}

/// <summary>A sweep in the list of all.</summary>
/// <param name="State">As in its status; <c>Damaged</c> where its record can't be read.</param>
/// <param name="Trials">How many; 0 before they are laid out.</param>
/// <param name="Done">How many have a result.</param>
public sealed record SweepSummary(string Id, string Name, string State, DateTimeOffset Submitted, int Trials, int Done, string? Reason)
{
    /// <summary>How far it is, in a few words: <c>12 of 40 trials</c>, <c>Paused, 12 of 40 trials</c>. No slash: the Aspire dashboard shows it as a space.</summary>
    public string Text => State == nameof(WorkState.Running) ? (Reason is null ? Count : $"Waiting, {Count}") : Trials == 0 ? State : $"{State}, {Count}";

    private string Count => Trials == 0 ? "Starting" : $"{Done} of {Trials} trials";

    /// <summary>Whether steering it that way would change anything.</summary>
    /// <param name="verb"><c>pause</c>, <c>resume</c> or <c>cancel</c>.</param>
    public bool Allows(string verb) => verb switch
    {
        "pause" => State == nameof(WorkState.Running),
        "cancel" => State is nameof(WorkState.Running) or nameof(WorkState.Paused),
        "resume" => State is nameof(WorkState.Paused) or nameof(WorkState.Cancelled) or nameof(WorkState.Failed) || (State == nameof(WorkState.Done) && Done < Trials),
        _ => false,
    };
}

/// <summary>Where a trial is.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Attempt">From 1; 0 before it began.</param>
/// <param name="Progress">The stage at work; null where none is.</param>
/// <param name="Reason">Why it failed; kept exactly.</param>
[GenerateSerializer, Immutable]
public sealed record TrialSummary(
    [property: Id(0)] int Number,
    [property: Id(1)] string Method,
    [property: Id(2)] ulong Seed,
    [property: Id(3)] WorkState State,
    [property: Id(4)] int Attempt,
    [property: Id(5)] StageProgress? Progress,
    [property: Id(6)] string? Reason);

/// <summary>Where a stage is.</summary>
/// <param name="Epoch">The last finished epoch; null before the first and for stages without.</param>
/// <param name="Epochs">How many there will be; 0 for stages without.</param>
/// <param name="Loss">On the training images, in nats.</param>
/// <param name="MacroF1">On the validation split.</param>
/// <param name="Node">The silo at work.</param>
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
