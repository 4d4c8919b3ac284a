using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Models.Layers;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>
/// Re-estimates the running statistics of a model's batch norms on other data: one pass in training mode, each statistic the mean of the
/// batches', as for averaged weights (Izmailov et al. 2018, section 3.2). Training on those data then sees the features it evaluates.
/// </summary>
internal static class BatchNormStatistics
{
    /// <summary>Estimates them on the training images, in a random order that is always the same.</summary>
    /// <param name="model">Under the architecture's names, with a classifier.</param>
    /// <param name="batchSize">Images of a batch.</param>
    /// <returns>A copy of the model with the new statistics.</returns>
    public static StateDict Estimate(
        Architecture architecture,
        StateDict model,
        ImageDataset target,
        int batchSize,
        BatchLoader loader,
        Device device,
        CancellationToken cancellation)
    {
        using var inference = no_grad();
        using var network = new BatchNormNetwork(architecture, model, device);
        var plan = new ShardPlan(target.Train.Count, shards: 1, batchSize, StreamKeys.Derive(0, StreamKeys.Statistics));
        var sums = Array.ConvertAll(network.Statistics, statistic => zeros_like(statistic, ScalarType.Float64));
        try
        {
            for (var step = 0; step < plan.StepsPerEpoch; step++)
            {
                DeviceThread.Yield(cancellation);
                using var scope = NewDisposeScope();
                var indices = plan.Batch(epoch: 0, step, shard: 0);
                // A running statistic that starts at zero is the batch's own times the momentum.
                foreach (var statistic in network.Statistics) statistic.zero_();
                network.Features(loader.Load(target.Train, indices), training: true);
                var share = indices.Length / (BatchNorm.Momentum * target.Train.Count);
                foreach (var (sum, statistic) in sums.Zip(network.Statistics))
                    sum.Add(statistic.to(ScalarType.Float64).Times(share));
            }
            foreach (var (sum, statistic) in sums.Zip(network.Statistics)) statistic.copy_(sum);
            return network.Snapshot();
        }
        finally
        {
            foreach (var sum in sums) sum.Dispose();
        }
    }
}
