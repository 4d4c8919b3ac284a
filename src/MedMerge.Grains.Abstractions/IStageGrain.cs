using Orleans.Concurrency;

namespace MedMerge.Grains;

/// <summary>
/// Computes one stage's output, once per cluster whatever number of trials needs it: on its node's device, or spread
/// over the devices of several nodes where the stage has shards. Its key is <c>DEVICE/STAGE</c>: the kind of device,
/// and the stage's key.
/// </summary>
public interface IStageGrain : IGrainWithStringKey
{
    /// <summary>
    /// Starts the stage if it isn't running and renews the holder's lease. Returns when the stage has ended, or after a
    /// second. A stage whose leases have all expired stops.
    /// </summary>
    [AlwaysInterleave]
    Task<StageStatus> RunAsync(StageRequest request);

    /// <summary>Gives up a holder's lease; with the last one the stage stops at its next step.</summary>
    [AlwaysInterleave]
    Task ReleaseAsync(string holder);
}

/// <summary>A request for a stage's output.</summary>
/// <param name="Specification">SHA-256 of the frozen specification.</param>
/// <param name="Trial">A trial of that plan that the stage belongs to.</param>
/// <param name="Holder">The leaseholder: the trial's key.</param>
/// <param name="Attempt">From 1; a higher one than before starts the stage again after a failure.</param>
/// <param name="Trace">Traceparent of the trial; null where it is not traced.</param>
[GenerateSerializer, Immutable]
public sealed record StageRequest(
    [property: Id(0)] string Specification,
    [property: Id(1)] int Trial,
    [property: Id(2)] string Holder,
    [property: Id(3)] int Attempt,
    [property: Id(4)] string? Trace);

/// <summary>A stage's status.</summary>
/// <param name="State">Running, done or failed; waiting where its node is leaving and another continues it.</param>
/// <param name="Nodes">The silos that run it now.</param>
/// <param name="Progress">Its epochs so far.</param>
/// <param name="Failure">Why it failed.</param>
/// <param name="Seconds">Seconds of devices that its computation took, once it is done; null where that is not known.</param>
[GenerateSerializer, Immutable]
public sealed record StageStatus(
    [property: Id(0)] WorkState State,
    [property: Id(1)] IReadOnlyList<string> Nodes,
    [property: Id(2)] StageProgress? Progress,
    [property: Id(3)] Failure? Failure,
    [property: Id(4)] double? Seconds = null) : IWorkStatus;
