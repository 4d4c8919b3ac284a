using MedMerge.Merging;

namespace MedMerge.Training;

/// <summary>What a shard needs to compute one step's gradient of kernel weights and head.</summary>
internal sealed record KernelWeightStep(int Epoch, int Step, KernelWeightMatrix Alpha, Head Head) : IShardStep;

/// <summary>One shard's part of such a step.</summary>
/// <param name="Alpha">∂/∂α.</param>
/// <param name="HeadWeight">∂/∂W, [classes × features].</param>
/// <param name="HeadBias">∂/∂b, [classes].</param>
internal sealed record KernelWeightGradient(
    int Epoch,
    int Step,
    int Shard,
    int Images,
    double Loss,
    KernelWeightMatrix Alpha,
    double[] HeadWeight,
    double[] HeadBias) : IShardGradient;
