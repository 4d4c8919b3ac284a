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

/// <summary>How kernel weights are learned. The defaults are measured; see docs/method.md.</summary>
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

    /// <summary>What happens to training images.</summary>
    public Augmentation Augmentation { get; init; } = Augmentation.None;

    /// <summary>The validation score that the best epoch is chosen by.</summary>
    public Metric Metric { get; init; } = Metric.MacroF1;
}
