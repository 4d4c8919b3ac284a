using Orleans.Concurrency;

namespace MedMerge.Grains;

/// <summary>
/// Owns one fixed part of a stage's training images and computes its loss and gradient on its node's device. What a
/// training's steps and gradients are made of is numbers here, in parts: a model's are too many for one message. Its
/// key is <c>DEVICE/STAGE/SHARD/PLACEMENT</c>; the last number grows when the shard is placed on another node.
/// </summary>
public interface IShardGrain : IGrainWithStringKey
{
    /// <summary>
    /// As long as any of a shard's calls may take; the caller's own deadline, an option of its node, is shorter.
    /// </summary>
    const string ResponseTimeout = "01:00:00";

    /// <summary>Loads data and models onto the device, so that no step has to wait for it.</summary>
    [ResponseTimeout(ResponseTimeout)]
    Task<ShardOpened> OpenAsync(ShardRequest request);

    /// <summary>Receives a part of a step's numbers, any but the last.</summary>
    Task PutAsync(ShardRequest request, StepPart part);

    /// <summary>
    /// Computes one step's gradient, once the last part of its numbers is here, and keeps it for
    /// <see cref="GetAsync"/>.
    /// </summary>
    /// <returns>The gradient, with the first part of its numbers.</returns>
    [ResponseTimeout(ResponseTimeout)]
    Task<GradientPart> GradientAsync(ShardRequest request, StepPart last);

    /// <summary>A further part of the gradient that was computed last.</summary>
    /// <param name="offset">Of its first byte.</param>
    Task<PackedNumbers> GetAsync(ShardRequest request, int epoch, int step, int offset);

    /// <summary>Macro F1 and loss on the validation split.</summary>
    [ResponseTimeout(ResponseTimeout)]
    Task<ValidationMessage> ValidateAsync(ShardRequest request, StepPart last);

    /// <summary>
    /// Frees the device's memory: at once, or as soon as a running step has ended. It does not wait behind that step,
    /// where it would expire.
    /// </summary>
    [AlwaysInterleave]
    Task CloseAsync();
}

/// <summary>Which shard of what.</summary>
/// <param name="Specification">SHA-256 of the frozen specification.</param>
/// <param name="Trial">From 1.</param>
/// <param name="Stage">Key of the stage.</param>
[GenerateSerializer, Immutable]
public sealed record ShardRequest(
    [property: Id(0)] string Specification,
    [property: Id(1)] int Trial,
    [property: Id(2)] string Stage,
    [property: Id(3)] int Shard);

/// <summary>A shard that is ready.</summary>
/// <param name="StepsPerEpoch">The same for every shard of a stage.</param>
/// <param name="Node">The silo that it is on.</param>
[GenerateSerializer, Immutable]
public sealed record ShardOpened([property: Id(0)] int StepsPerEpoch, [property: Id(1)] string Node);

/// <summary>A part of the numbers that a step is computed with.</summary>
/// <param name="Step">From 0; <see cref="Validation"/> for what an epoch is validated with.</param>
[GenerateSerializer, Immutable]
public sealed record StepPart([property: Id(0)] int Epoch, [property: Id(1)] int Step, [property: Id(2)] PackedNumbers Values)
{
    /// <summary>Stands for a step where an epoch is validated.</summary>
    public const int Validation = -1;
}

/// <summary>A shard's answer to a step.</summary>
/// <param name="Images">How many images it is over.</param>
/// <param name="Loss">Sum of cross-entropies over them.</param>
/// <param name="First">The first part of the gradient's numbers.</param>
[GenerateSerializer, Immutable]
public sealed record GradientPart(
    [property: Id(0)] int Epoch,
    [property: Id(1)] int Step,
    [property: Id(2)] int Shard,
    [property: Id(3)] int Images,
    [property: Id(4)] double Loss,
    [property: Id(5)] PackedNumbers First);

/// <summary>Scores of a candidate on the validation split.</summary>
[GenerateSerializer, Immutable]
public sealed record ValidationMessage(
    [property: Id(0)] double MacroF1,
    [property: Id(1)] double Loss,
    [property: Id(2)] double BalancedAccuracy,
    [property: Id(3)] double Accuracy,
    [property: Id(4)] double Auc,
    [property: Id(5)] double QuadraticKappa);
