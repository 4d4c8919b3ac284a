using Orleans.Concurrency;

namespace MedMerge.Grains;

/// <summary>Runs one trial's stages. Its key is <c>SWEEP/NUMBER</c>.</summary>
public interface ITrialGrain : IGrainWithStringKey
{
    /// <summary>
    /// Starts the trial if it isn't running and renews its sweep's lease. Returns when the trial has ended, or after a
    /// second. A trial whose lease has expired stops.
    /// </summary>
    [AlwaysInterleave]
    Task<TrialStatus> RunAsync(TrialRequest request);

    /// <summary>Stops the trial at its next step.</summary>
    [AlwaysInterleave]
    Task StopAsync();
}

/// <summary>A request for a trial.</summary>
/// <param name="Specification">SHA-256 of the frozen specification.</param>
/// <param name="Number">Of the trial in the plan, from 1.</param>
/// <param name="Attempt">From 1; a higher one than before starts the trial again after a failure.</param>
/// <param name="Trace">Traceparent of the trial; null where it is not traced.</param>
/// <param name="Rung">The rung of a search to run to, from 0; the one after the last is the trial's end.</param>
[GenerateSerializer, Immutable]
public sealed record TrialRequest(
    [property: Id(0)] string Specification,
    [property: Id(1)] int Number,
    [property: Id(2)] int Attempt,
    [property: Id(3)] string? Trace,
    [property: Id(4)] int Rung = 0);

/// <summary>A trial's status, as its grain answers it.</summary>
/// <param name="State">Running, done or failed; waiting where its node is leaving.</param>
/// <param name="Nodes">The silos that run its stages now: those whose deaths count against it.</param>
/// <param name="Progress">The running stage; of several, the one that has come furthest.</param>
/// <param name="Computed">Keys of the stages that this attempt has had computed, in order.</param>
/// <param name="Kept">Keys of the stages whose output was in the store.</param>
/// <param name="Failure">Why it failed.</param>
[GenerateSerializer, Immutable]
public sealed record TrialStatus(
    [property: Id(0)] WorkState State,
    [property: Id(1)] IReadOnlyList<string> Nodes,
    [property: Id(2)] StageProgress? Progress,
    [property: Id(3)] IReadOnlyList<string> Computed,
    [property: Id(4)] IReadOnlyList<string> Kept,
    [property: Id(5)] Failure? Failure) : IWorkStatus
{
    /// <summary>
    /// Seconds of devices that the stages of <see cref="Computed"/> took, in the same order; null where that is not known. Trials that
    /// waited for the same stage all have it.
    /// </summary>
    [Id(6)]
    public IReadOnlyList<double?> Seconds { get; init; } = [];
}
