namespace MedMerge.Data;

/// <summary>Second key of each use of a seed, so that no two uses share random numbers.</summary>
internal static class StreamKeys
{
    /// <summary>Dealing images out to shards.</summary>
    public const ulong Shards = 1;

    /// <summary>The order of images in an epoch.</summary>
    public const ulong Batches = 2;

    /// <summary>What happens to each training image.</summary>
    public const ulong Augmentation = 3;

    /// <summary>Initial weights.</summary>
    public const ulong Initialisation = 4;

    /// <summary>Resampling in the bootstrap.</summary>
    public const ulong Bootstrap = 5;

    /// <summary>The learning of kernel weights.</summary>
    public const ulong KernelWeightLearning = 6;

    /// <summary>Fine-tuning, and training from scratch alike.</summary>
    public const ulong FineTuning = 7;

    /// <summary>The batches that batch norm statistics are measured on.</summary>
    public const ulong Statistics = 8;

    /// <summary>The shuffling of a partner's filters.</summary>
    public const ulong Scramble = 9;

    /// <summary>The points of a random search.</summary>
    public const ulong Search = 10;

    /// <summary>The batches that a soup's shares are learned on.</summary>
    public const ulong Soup = 11;

    /// <summary>The images and labels that Fisher information is measured with.</summary>
    public const ulong Fisher = 12;

    /// <summary>A jittered partner's noise.</summary>
    public const ulong Jitter = 13;

    /// <summary>The noise that is added to training images.</summary>
    public const ulong Noise = 14;

    /// <summary>
    /// Derives the seed of a kind of stage from a trial's seed. So an epoch of learning kernel weights and an epoch of fine-tuning see
    /// different batches and augmentations, while all methods fine-tune on the same ones and can be compared in pairs.
    /// </summary>
    /// <param name="stage">One of the keys above.</param>
    public static ulong Derive(ulong seed, ulong stage) => new RandomStream(seed, stage).NextBits();
}
