using System.Text.Json.Serialization;
using MedMerge.Data;
using MedMerge.Statistics;

namespace MedMerge.Training;

/// <summary>How a whole model is trained: for fine-tuning, from scratch and for pretraining alike.</summary>
internal sealed record FineTuneSettings
{
    /// <summary>Passes over the training images.</summary>
    public int Epochs { get; init; } = 20;

    /// <summary>Images in a step, over all shards.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>
    /// Fixed parts that the training images are split into. Part of what is computed: batch norm normalises by each shard's own images.
    /// One stays on its device, several are data-parallel over the cluster.
    /// </summary>
    public int Shards { get; init; } = 1;

    /// <summary>Images of a shard's step, which batch norm normalises by.</summary>
    internal int ShardBatchSize => BatchSize / Shards;

    /// <summary>AdamW's first rate; it falls to 0 along a cosine.</summary>
    public double LearningRate { get; init; } = 0.001;

    /// <summary>AdamW's decoupled weight decay.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>What happens to training images.</summary>
    public Augmentation Augmentation { get; init; } = Augmentation.None;

    /// <summary>What is done about classes of unequal size.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] // stages without it keep their keys
    public Imbalance Imbalance { get; init; }

    /// <summary>The validation score that the best epoch is chosen by.</summary>
    public Metric Metric { get; init; } = Metric.MacroF1;

    /// <summary>Whether a history has all epochs, the start as epoch 0 among them.</summary>
    public bool IsWhole(IReadOnlyList<EpochRecord> history) => history.Count > Epochs;

    /// <summary>Which images a shard takes in which step.</summary>
    /// <exception cref="InputException">A shard would get a step of one image, over which batch norm has no variance.</exception>
    public ShardPlan PlanFor(ImageSplit train, ulong seed)
    {
        var fewest = TrainingBounds.MinBatchSize * Shards;
        if (Shards > 1 && (BatchSize < fewest || train.Count < fewest))
        {
            throw new InputException(
                $"fine-tuning's shards is {Shards}, its batchSize {BatchSize}, with {train.Count} training images: every shard needs " +
                $"at least {TrainingBounds.MinBatchSize} images in a step, for batch norm normalises by them.");
        }
        if (BatchSize % Shards != 0)
            throw new InputException($"fine-tuning's batchSize is {BatchSize}; it must be a multiple of its shards ({Shards}).");
        return new ShardPlan(train.Count, Shards, BatchSize, seed, Imbalance.BalanceBatches(train));
    }

    /// <summary>The rate of one step: a cosine from <see cref="LearningRate"/> to 0.</summary>
    /// <param name="epoch">From 1.</param>
    /// <param name="step">From 0.</param>
    public double LearningRateAt(int epoch, int step, int stepsPerEpoch)
    {
        var progress = (((epoch - 1) * stepsPerEpoch) + step) / (double)(Epochs * stepsPerEpoch);
        return 0.5 * LearningRate * (1 + Math.Cos(Math.PI * progress));
    }
}
