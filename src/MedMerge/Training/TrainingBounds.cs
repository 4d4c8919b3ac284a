namespace MedMerge.Training;

/// <summary>Bounds of training settings, the same in specifications and on the command line.</summary>
internal static class TrainingBounds
{
    /// <summary>The most passes over the training images.</summary>
    public const int MaxEpochs = 100_000;

    /// <summary>The fewest images in a step; batch norm needs two.</summary>
    public const int MinBatchSize = 2;

    /// <summary>The most images in a step.</summary>
    public const int MaxBatchSize = 65536;

    /// <summary>The most shards of a trial.</summary>
    public const int MaxShards = 1024;

    /// <summary>The highest learning rate and weight decay.</summary>
    public const double MaxRate = 100;
}
