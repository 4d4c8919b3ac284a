using Orleans.Concurrency;

namespace MedMerge.Grains;

/// <summary>A grain that gives a stage's output to whoever keeps asking. Its key is <c>DEVICE/STAGE</c>: the kind of device, and the stage's key.</summary>
public interface IStageExecution : IGrainWithStringKey
{
    /// <summary>Begins or goes on, and answers when the stage has ended or after a second. A stage that nobody asks for stops.</summary>
    [AlwaysInterleave]
    Task<StageStatus> RunAsync(StageRequest request);

    /// <summary>The holder needs it no longer; where nobody else does, it stops at the next step.</summary>
    [AlwaysInterleave]
    Task ReleaseAsync(string holder);
}

/// <summary>
/// Computes one stage on its node's device, once per cluster whatever number of trials asks for it: a source model's import and folding, its
/// pretraining, a probe, a merge, a fine-tuning.
/// </summary>
public interface IStageGrain : IStageExecution;

/// <summary>
/// Learns what is spread over devices, one trial's kernel weights or a data-parallel fine-tuning: holds the weights and the optimisers' state, sends them to the
/// shards, adds up their gradients in shard order, steps and keeps checkpoints.
/// </summary>
public interface ICoordinatorGrain : IStageExecution;

/// <summary>What a stage's grain is asked for.</summary>
/// <param name="Specification">SHA-256 of the frozen specification.</param>
/// <param name="Trial">A trial of that plan that the stage belongs to.</param>
/// <param name="Holder">Who keeps asking: the trial's key.</param>
/// <param name="Attempt">From 1; a higher one than before starts anew after a failure.</param>
/// <param name="Trace">Traceparent of the trial; null where nobody traces.</param>
[GenerateSerializer, Immutable]
public sealed record StageRequest(
    [property: Id(0)] string Specification, [property: Id(1)] int Trial, [property: Id(2)] string Holder, [property: Id(3)] int Attempt, [property: Id(4)] string? Trace);

/// <summary>A stage's answer.</summary>
/// <param name="State">Running, done or failed; waiting where its node is leaving and it goes on elsewhere.</param>
/// <param name="Nodes">The silos at work for it now.</param>
[GenerateSerializer, Immutable]
public sealed record StageStatus(
    [property: Id(0)] WorkState State,
    [property: Id(1)] IReadOnlyList<string> Nodes,
    [property: Id(2)] StageProgress? Progress,
    [property: Id(3)] Failure? Failure);
