using MedMerge.Data;
using MedMerge.Tensors;

namespace MedMerge.Training;

/// <summary>All shards on one device of this process, one after the other.</summary>
/// <param name="device">The thread that <paramref name="computer"/> belongs to.</param>
/// <param name="computer">Computes every shard.</param>
public sealed class LocalKernelWeightWorkers(DeviceThread device, KernelWeightGradientComputer computer, ImageDataset target, int shards) : IKernelWeightWorkers
{
    /// <inheritdoc />
    public int Shards => shards;

    /// <inheritdoc />
    public int StepsPerEpoch => computer.StepsPerEpoch;

    /// <inheritdoc />
    public Task<KernelWeightGradient> GradientAsync(int shard, KernelWeightStep step, CancellationToken cancellation) =>
        device.RunAsync(() => computer.Gradient(shard, step), cancellation);

    /// <inheritdoc />
    public Task<Validation> ValidateAsync(double[] alpha, Head head, CancellationToken cancellation) =>
        device.RunAsync(() => Scoring.Validate(computer.Predict(alpha, head, target.Validation, cancellation)), cancellation);
}
