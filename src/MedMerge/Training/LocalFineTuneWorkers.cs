using MedMerge.Tensors;

namespace MedMerge.Training;

/// <summary>All shards on one device of this process, one after the other.</summary>
/// <param name="device">The thread that <paramref name="computer"/> belongs to.</param>
public sealed class LocalFineTuneWorkers(DeviceThread device, FineTuneGradientComputer computer, int shards) : IFineTuneWorkers
{
    /// <inheritdoc />
    public int Shards => shards;

    /// <inheritdoc />
    public int StepsPerEpoch => computer.StepsPerEpoch;

    /// <inheritdoc />
    public Task<FineTuneGradient> GradientAsync(int shard, FineTuneStep step, CancellationToken cancellation) => device.RunAsync(() => computer.Gradient(shard, step), cancellation);

    /// <inheritdoc />
    public Task<Validation> ValidateAsync(int epoch, float[] weights, CancellationToken cancellation) => device.RunAsync(() => computer.Validate(weights, cancellation), cancellation);
}
