using Orleans.Concurrency;

namespace MedMerge.Grains;

/// <summary>Walks one trial's stages. Its key is <c>SWEEP/NUMBER</c>.</summary>
public interface ITrialGrain : IGrainWithStringKey
{
    /// <summary>
    /// Begins or goes on, and answers when the trial has ended or after a second. Whoever wants the trial done keeps asking; a trial that nobody asks
    /// for stops.
    /// </summary>
    [AlwaysInterleave]
    Task<TrialStatus> RunAsync(TrialRequest request);

    /// <summary>Stops at the next step.</summary>
    [AlwaysInterleave]
    Task StopAsync();
}

/// <summary>What a trial grain is asked for.</summary>
/// <param name="Specification">SHA-256 of the frozen specification.</param>
/// <param name="Number">Of the trial in the plan, from 1.</param>
/// <param name="Attempt">From 1; a higher one than before starts anew after a failure.</param>
/// <param name="Trace">Traceparent of the trial; null where nobody traces.</param>
[GenerateSerializer, Immutable]
public sealed record TrialRequest([property: Id(0)] string Specification, [property: Id(1)] int Number, [property: Id(2)] int Attempt, [property: Id(3)] string? Trace);

/// <summary>A trial's answer.</summary>
/// <param name="State">Running, done or failed.</param>
/// <param name="Nodes">The silos at work for it now, its own among them: those it may take down.</param>
/// <param name="Progress">The stage at work.</param>
/// <param name="Computed">Keys of the stages that this attempt has waited for, in order.</param>
/// <param name="Kept">Keys of the stages that were in the store already.</param>
/// <param name="Failure">Why it failed.</param>
[GenerateSerializer, Immutable]
public sealed record TrialStatus(
    [property: Id(0)] WorkState State,
    [property: Id(1)] IReadOnlyList<string> Nodes,
    [property: Id(2)] StageProgress? Progress,
    [property: Id(3)] IReadOnlyList<string> Computed,
    [property: Id(4)] IReadOnlyList<string> Kept,
    [property: Id(5)] Failure? Failure);
