namespace MedMerge.Data;

/// <summary>Second key of each use of a seed, so that no two uses share random numbers.</summary>
internal static class StreamKeys
{
    /// <summary>Dealing images out to shards.</summary>
    public const ulong Shards = 1;

    /// <summary>The order of images in an epoch.</summary>
    public const ulong Batches = 2;

    /// <summary>Flips and shifts.</summary>
    public const ulong Augmentation = 3;

    /// <summary>Initial weights.</summary>
    public const ulong Initialisation = 4;

    /// <summary>Resampling in the bootstrap.</summary>
    public const ulong Bootstrap = 5;
}
