using MedMerge.Data;
using MedMerge.Tensors;

namespace MedMerge.Training;

/// <summary>All shards on one device of this process, one after the other.</summary>
/// <param name="device">The thread that <paramref name="computer"/> belongs to.</param>
/// <param name="computer">Computes every shard.</param>
public sealed class LocalWeightWorkers(DeviceThread device, GradientComputer computer, ImageDataset target, int shards) : IWeightWorkers
{
    /// <inheritdoc />
    public int Shards => shards;

    /// <inheritdoc />
    public int StepsPerEpoch => computer.StepsPerEpoch;

    /// <inheritdoc />
    public Task<ShardGradient> GradientAsync(int shard, WeightStep step, CancellationToken cancellation) =>
        device.RunAsync(() => computer.Gradient(shard, step), cancellation);

    /// <inheritdoc />
    public Task<Validation> ValidateAsync(double[] alpha, Head head, CancellationToken cancellation) =>
        device.RunAsync(() => Scoring.Validate(computer.Predict(alpha, head, target.Validation, cancellation)), cancellation);
}
