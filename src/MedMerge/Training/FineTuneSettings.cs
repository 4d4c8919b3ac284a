using MedMerge.Data;

namespace MedMerge.Training;

/// <summary>How a whole model is trained: for fine-tuning, from scratch and for pretraining alike.</summary>
public sealed record FineTuneSettings
{
    /// <summary>Passes over the training images.</summary>
    public int Epochs { get; init; } = 20;

    /// <summary>Images in a step.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>AdamW's first rate; it falls to 0 along a cosine.</summary>
    public double LearningRate { get; init; } = 0.001;

    /// <summary>AdamW's decoupled weight decay.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>What happens to training images.</summary>
    public Augmentation Augmentation { get; init; } = Augmentation.None;
}
