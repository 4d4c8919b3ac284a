namespace MedMerge.Training;

/// <summary>
/// Computes the shards of a data-parallel training. The training asks for every shard's part of a step and adds the parts up
/// (<see cref="ShardReduction"/>); whether a shard is on this process's device or on another node is hidden behind this interface.
/// </summary>
internal interface IShardWorkers<in TStep, TGradient>
    where TStep : IShardStep
    where TGradient : IShardGradient
{
    /// <summary>The number of shards.</summary>
    int Shards { get; }

    /// <summary>Steps in an epoch, the same for every shard.</summary>
    int StepsPerEpoch { get; }

    /// <summary>One shard's part of one step.</summary>
    Task<TGradient> GradientAsync(int shard, TStep step, CancellationToken cancellation);

    /// <summary>Macro F1 and loss on the validation split, after an epoch.</summary>
    /// <param name="candidate">What to validate; only its epoch and its values count, not its step.</param>
    Task<Validation> ValidateAsync(TStep candidate, CancellationToken cancellation);
}

/// <summary>What every shard is given for one step: where the training is, and the values to differentiate at.</summary>
internal interface IShardStep
{
    /// <summary>From 1.</summary>
    int Epoch { get; }

    /// <summary>From 0.</summary>
    int Step { get; }
}

/// <summary>One shard's part of a step, summed over its images (not averaged), so that parts add up exactly.</summary>
internal interface IShardGradient
{
    /// <summary>The step's epoch.</summary>
    int Epoch { get; }

    /// <summary>The step.</summary>
    int Step { get; }

    /// <summary>Which shard computed it.</summary>
    int Shard { get; }

    /// <summary>How many images it is over, possibly 0.</summary>
    int Images { get; }

    /// <summary>Sum of the images' cross-entropies, in nats.</summary>
    double Loss { get; }
}
