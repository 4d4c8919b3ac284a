namespace MedMerge.Training;

/// <summary>What a shard needs to compute one step's gradient.</summary>
/// <param name="Alpha">[sources × filters].</param>
public sealed record KernelWeightStep(int Epoch, int Step, double[] Alpha, Head Head);

/// <summary>One shard's part of a step's gradient, summed over its images (not averaged), so that parts add up exactly.</summary>
/// <param name="Images">How many images it is over, possibly 0.</param>
/// <param name="Loss">Sum of cross-entropies.</param>
/// <param name="Alpha">∂/∂α, [sources × filters].</param>
/// <param name="HeadWeight">∂/∂W, [classes × features].</param>
/// <param name="HeadBias">∂/∂b, [classes].</param>
public sealed record KernelWeightGradient(int Epoch, int Step, int Shard, int Images, double Loss, double[] Alpha, double[] HeadWeight, double[] HeadBias);

/// <summary>
/// Those who compute for weight learning. The learner asks for the gradient of each shard and adds them up; where a shard computes, on
/// this thread or on another node, is behind this seam.
/// </summary>
public interface IKernelWeightWorkers
{
    /// <summary>The number of shards.</summary>
    int Shards { get; }

    /// <summary>Steps in an epoch, the same for every shard.</summary>
    int StepsPerEpoch { get; }

    /// <summary>One shard's gradient of one step.</summary>
    Task<KernelWeightGradient> GradientAsync(int shard, KernelWeightStep step, CancellationToken cancellation);

    /// <summary>Macro F1 and loss of the folded network on the validation split.</summary>
    Task<Validation> ValidateAsync(double[] alpha, Head head, CancellationToken cancellation);
}
