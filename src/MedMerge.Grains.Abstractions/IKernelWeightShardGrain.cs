namespace MedMerge.Grains;

/// <summary>A shard of weight learning: the gradient of kernel weights and head, through the folded network.</summary>
public interface IKernelWeightShardGrain : IShardGrain
{
    /// <summary>The gradient of one step.</summary>
    [ResponseTimeout(ResponseTimeout)]
    Task<GradientMessage> GradientAsync(ShardRequest request, StepMessage step);

    /// <summary>Macro F1 and loss of the folded network on the validation split.</summary>
    [ResponseTimeout(ResponseTimeout)]
    Task<ValidationMessage> ValidateAsync(ShardRequest request, StepMessage step);
}

/// <summary>What the coordinator sends for a step: α, [sources × filters], the head's weight, [classes × features], and bias, [classes]; float64.</summary>
[GenerateSerializer, Immutable]
public sealed record StepMessage([property: Id(0)] int Epoch, [property: Id(1)] int Step, [property: Id(2)] int Classes, [property: Id(3)] PackedNumbers Values);

/// <summary>A shard's answer: which step it is for, the sum of losses over its images, and the gradients in the order of <see cref="StepMessage"/>.</summary>
[GenerateSerializer, Immutable]
public sealed record GradientMessage(
    [property: Id(0)] int Epoch, [property: Id(1)] int Step, [property: Id(2)] int Shard, [property: Id(3)] int Images, [property: Id(4)] double Loss, [property: Id(5)] PackedNumbers Values);
