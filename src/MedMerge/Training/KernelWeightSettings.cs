using System.Text.Json.Serialization;
using MedMerge.Data;
using MedMerge.Statistics;

namespace MedMerge.Training;

/// <summary>Where the kernel weights start.</summary>
public enum KernelWeightStart
{
    /// <summary>The anchor holds <see cref="KernelWeightSettings.AnchorWeight"/> of every filter.</summary>
    Anchored,

    /// <summary>Every source has the same weight. Needs a learning rate of about 0.01.</summary>
    Uniform,
}

/// <summary>Which kernels of a source share a weight.</summary>
public enum KernelWeightGranularity
{
    /// <summary>None: each filter, the kernels of one output channel, has its own.</summary>
    Filter,

    /// <summary>All of a layer.</summary>
    Layer,

    /// <summary>All of the model.</summary>
    Model,

    /// <summary>
    /// None: each 2D kernel, from one input channel to one output channel, has its own. Those are many: the state of learning has hundreds
    /// of megabytes for a ResNet-18.
    /// </summary>
    Kernel2d,
}

/// <summary>How the sources' weights α come from what is learned, θ.</summary>
public enum KernelWeightParameterisation
{
    /// <summary>Shares: αᵢ = exp(θᵢ) / Σⱼ exp(θⱼ).</summary>
    Softmax,

    /// <summary>Shares of two sources by one logit: α₀ = 1 / (1 + exp(−θ)), α₁ = 1 − α₀.</summary>
    Sigmoid,

    /// <summary>α = θ, whatever its sign and sum.</summary>
    Free,

    /// <summary>α = θ from 0 to 1, with any sum: a step that leads outside ends at the bound.</summary>
    Clamped,
}

/// <summary>How kernel weights are learned. What was measured of the defaults, docs/method.md shows.</summary>
public sealed record KernelWeightSettings
{
    /// <summary>Passes over the training images.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Images in a step, over all shards.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Fixed parts that the training images are split into. Part of what is computed, unlike the number of nodes.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>Adam's rate for the logits θ.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>Adam's rate for the head.</summary>
    public double HeadLearningRate { get; init; } = 0.003;

    /// <summary>λ of the penalty λ/2·‖W‖² on the head, in the linear probe and here.</summary>
    public double HeadDecay { get; init; } = 0.01;

    /// <summary>Where α starts.</summary>
    public KernelWeightStart Start { get; init; } = KernelWeightStart.Anchored;

    /// <summary>The anchor's share at an anchored start, between 1/sources and 1.</summary>
    public double AnchorWeight { get; init; } = 0.9;

    /// <summary>Which kernels of a source share a weight.</summary>
    public KernelWeightGranularity Granularity { get; init; } = KernelWeightGranularity.Filter;

    /// <summary>How α comes from what is learned.</summary>
    public KernelWeightParameterisation Parameterisation { get; init; } = KernelWeightParameterisation.Softmax;

    /// <summary>
    /// Added to the loss: this × the mean entropy of a filter's α in units of ln(sources). Positive towards one source a filter, negative
    /// towards equal shares.
    /// </summary>
    public double EntropyPenalty { get; init; }

    /// <summary>
    /// Added to the loss: half of this × the squared distance of a filter's α from the start, on average over the filters.
    /// </summary>
    public double StartPenalty { get; init; }

    /// <summary>What happens to training images.</summary>
    public Augmentation Augmentation { get; init; } = Augmentation.None;

    /// <summary>What is done about classes of unequal size.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] // stages without it keep their keys
    public Imbalance Imbalance { get; init; }

    /// <summary>The validation score that the best epoch is chosen by.</summary>
    public Metric Metric { get; init; } = Metric.MacroF1;

    /// <summary>Which images a shard takes in which step.</summary>
    /// <exception cref="InputException">The shards suit neither the training images nor the batch size.</exception>
    internal ShardPlan PlanFor(ImageSplit train, ulong seed) => new(train.Count, Shards, BatchSize, seed, Imbalance.BalanceBatches(train));
}
