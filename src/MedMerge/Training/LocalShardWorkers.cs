using MedMerge.Tensors;

namespace MedMerge.Training;

/// <summary>All shards on one device of this process, one after the other.</summary>
/// <param name="device">The thread that <paramref name="computer"/> belongs to.</param>
/// <param name="computer">Computes every shard.</param>
internal sealed class LocalShardWorkers<TStep, TGradient>(DeviceThread device, IShardComputer<TStep, TGradient> computer, int shards)
    : IShardWorkers<TStep, TGradient>
    where TStep : IShardStep
    where TGradient : IShardGradient
{
    /// <inheritdoc />
    public int Shards => shards;

    /// <inheritdoc />
    public int StepsPerEpoch => computer.StepsPerEpoch;

    /// <inheritdoc />
    public Task<TGradient> GradientAsync(int shard, TStep step, CancellationToken cancellation) =>
        device.RunAsync(() => computer.Gradient(shard, step), cancellation);

    /// <inheritdoc />
    public Task<Validation> ValidateAsync(TStep candidate, CancellationToken cancellation) =>
        device.RunAsync(() => computer.Validate(candidate, cancellation), cancellation);
}
