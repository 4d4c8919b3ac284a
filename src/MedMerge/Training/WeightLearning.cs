using MedMerge.Merging;

namespace MedMerge.Training;

/// <summary>What weight learning found: the best epoch's weights and the way there.</summary>
/// <param name="Alpha">[sources × filters].</param>
/// <param name="BestEpoch">0 where no epoch beat the start.</param>
public sealed record WeightLearningResult(double[] Alpha, Head Head, int BestEpoch, IReadOnlyList<EpochRecord> History);

/// <summary>
/// Learns kernel weights: holds θ, the head and the optimisers' state, asks the workers for each shard's gradient, adds them up in shard
/// order in float64 and steps. It never sees an image or a tensor.
/// </summary>
public static class WeightLearning
{
    /// <summary>Runs all epochs and returns the state with the best validation score, the start included.</summary>
    /// <param name="theta">The starting logits, [sources × filters].</param>
    /// <param name="head">The linear probe's head.</param>
    /// <param name="report">Called after each epoch.</param>
    public static async Task<WeightLearningResult> RunAsync(IWeightWorkers workers, double[] theta, int sources, Head head, WeightLearningSettings settings,
        Action<EpochRecord> report, CancellationToken cancellation)
    {
        theta = [.. theta];
        var (headWeight, headBias) = (head.Weight.ToArray(), head.Bias.ToArray());
        var (thetaAdam, weightAdam, biasAdam) = (new Adam(theta.Length), new Adam(headWeight.Length), new Adam(headBias.Length));
        var history = new List<EpochRecord>();
        WeightLearningResult? best = null;

        for (var epoch = 0; epoch <= settings.Epochs; epoch++)
        {
            var (loss, images) = (0.0, 0);
            for (var step = 0; epoch > 0 && step < workers.StepsPerEpoch; step++)
            {
                cancellation.ThrowIfCancellationRequested();
                var alpha = KernelWeights.Softmax(theta, sources);
                var gradient = await SumAsync(workers, new WeightStep(epoch, step, alpha, new Head([.. headWeight], [.. headBias])), cancellation).ConfigureAwait(false);
                for (var i = 0; i < headWeight.Length; i++) gradient.HeadWeight[i] += settings.HeadDecay * headWeight[i];
                thetaAdam.Step(theta, KernelWeights.ThroughSoftmax(alpha, gradient.Alpha, sources), settings.LearningRate);
                weightAdam.Step(headWeight, gradient.HeadWeight, settings.HeadLearningRate);
                biasAdam.Step(headBias, gradient.HeadBias, settings.HeadLearningRate);
                loss += gradient.Loss * gradient.Images;
                images += gradient.Images;
            }

            var state = new WeightLearningResult(KernelWeights.Softmax(theta, sources), new Head([.. headWeight], [.. headBias]), epoch, history);
            var validation = await workers.ValidateAsync(state.Alpha, state.Head, cancellation).ConfigureAwait(false);
            var record = new EpochRecord(epoch, epoch == 0 ? double.NaN : loss / images, validation, KernelWeights.Entropy(state.Alpha, sources));
            if (epoch == 0 || validation.IsBetterThan(history[best!.BestEpoch].Validation)) best = state;
            history.Add(record);
            report(record);
        }
        return best!;
    }

    /// <summary>One step's gradient over all shards, averaged over its images: added in shard order, whatever order answers come in.</summary>
    /// <exception cref="InvalidOperationException">A worker answered for another step or shard.</exception>
    public static async Task<ShardGradient> SumAsync(IWeightWorkers workers, WeightStep step, CancellationToken cancellation)
    {
        var parts = await Task.WhenAll(Enumerable.Range(0, workers.Shards).Select(shard => workers.GradientAsync(shard, step, cancellation))).ConfigureAwait(false);
        var images = parts.Sum(part => part.Images);
        var (alpha, weight, bias, loss) = (new double[step.Alpha.Length], new double[step.Head.Weight.Length], new double[step.Head.Bias.Length], 0.0);
        for (var shard = 0; shard < parts.Length; shard++)
        {
            var part = parts[shard];
            if (part.Epoch != step.Epoch || part.Step != step.Step || part.Shard != shard)
                throw new InvalidOperationException($"Asked for epoch {step.Epoch}, step {step.Step}, shard {shard}; got {part.Epoch}, {part.Step}, {part.Shard}.");
            Add(alpha, part.Alpha);
            Add(weight, part.HeadWeight);
            Add(bias, part.HeadBias);
            loss += part.Loss;
        }
        foreach (var sum in new[] { alpha, weight, bias })
            for (var i = 0; i < sum.Length; i++) sum[i] /= images;
        return new ShardGradient(step.Epoch, step.Step, -1, images, loss / images, alpha, weight, bias);
    }

    private static void Add(double[] sum, double[] part)
    {
        for (var i = 0; i < sum.Length; i++) sum[i] += part[i];
    }
}
