namespace MedMerge.Training;

/// <summary>What a shard needs to compute one step's gradient of a whole model.</summary>
/// <param name="Weights">Parameters, then batch norm's running statistics, as <see cref="ParameterLayout"/> lines them up.</param>
public sealed record FineTuneStep(int Epoch, int Step, float[] Weights);

/// <summary>One shard's part of a step, summed over its images (not averaged).</summary>
/// <param name="Images">How many images it is over, possibly 0.</param>
/// <param name="Loss">Sum of cross-entropies.</param>
/// <param name="Values">The parameters' gradients, then the running statistics as the shard's images have moved them.</param>
public sealed record FineTuneGradient(int Epoch, int Step, int Shard, int Images, double Loss, float[] Values);

/// <summary>Those who compute for data-parallel fine-tuning, as <see cref="IKernelWeightWorkers"/> does for weight learning.</summary>
public interface IFineTuneWorkers
{
    /// <summary>The number of shards.</summary>
    int Shards { get; }

    /// <summary>Steps in an epoch, the same for every shard.</summary>
    int StepsPerEpoch { get; }

    /// <summary>One shard's gradient of one step.</summary>
    Task<FineTuneGradient> GradientAsync(int shard, FineTuneStep step, CancellationToken cancellation);

    /// <summary>Macro F1 and loss of the model on the validation split, after an epoch.</summary>
    Task<Validation> ValidateAsync(int epoch, float[] weights, CancellationToken cancellation);
}
