using Orleans.Concurrency;

namespace MedMerge.Grains;

/// <summary>
/// Owns one fixed part of a trial's training images and computes its loss and gradient on its node's device. Its key is
/// <c>DEVICE/STAGE/SHARD/PLACEMENT</c>; the last number grows when the shard is placed anew.
/// </summary>
public interface IShardGrain : IGrainWithStringKey
{
    /// <summary>Loads data and prepared sources onto the device, so that no step has to wait for it.</summary>
    Task<ShardOpened> OpenAsync(ShardRequest request);

    /// <summary>The gradient of one step.</summary>
    Task<GradientMessage> GradientAsync(ShardRequest request, StepMessage step);

    /// <summary>Macro F1 and loss of the folded network on the validation split.</summary>
    Task<ValidationMessage> ValidateAsync(ShardRequest request, StepMessage step);

    /// <summary>Frees the device's memory.</summary>
    Task CloseAsync();
}

/// <summary>Which shard of what.</summary>
/// <param name="Specification">SHA-256 of the frozen specification.</param>
/// <param name="Trial">From 1.</param>
/// <param name="Stage">Key of the stage that learns the weights.</param>
[GenerateSerializer, Immutable]
public sealed record ShardRequest(
    [property: Id(0)] string Specification, [property: Id(1)] int Trial, [property: Id(2)] string Stage, [property: Id(3)] int Shard);

/// <summary>A shard that is ready.</summary>
/// <param name="StepsPerEpoch">The same for every shard of a trial.</param>
/// <param name="Node">The silo that it is on.</param>
[GenerateSerializer, Immutable]
public sealed record ShardOpened([property: Id(0)] int StepsPerEpoch, [property: Id(1)] string Node);

/// <summary>What the coordinator sends for a step: α, [sources × filters], the head's weight, [classes × features], and bias, [classes].</summary>
[GenerateSerializer, Immutable]
public sealed record StepMessage([property: Id(0)] int Epoch, [property: Id(1)] int Step, [property: Id(2)] int Classes, [property: Id(3)] Numbers Values);

/// <summary>A shard's answer: which step it is for, the sum of losses over its images, and the gradients in the order of <see cref="StepMessage"/>.</summary>
[GenerateSerializer, Immutable]
public sealed record GradientMessage(
    [property: Id(0)] int Epoch, [property: Id(1)] int Step, [property: Id(2)] int Shard, [property: Id(3)] int Images, [property: Id(4)] double Loss, [property: Id(5)] Numbers Values);

/// <summary>Scores of a candidate.</summary>
[GenerateSerializer, Immutable]
public sealed record ValidationMessage([property: Id(0)] double MacroF1, [property: Id(1)] double Loss);
