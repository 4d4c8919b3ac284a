namespace MedMerge.Training;

/// <summary>The device's side of a data-parallel training: computes any shard of it. Device thread only.</summary>
internal interface IShardComputer<in TStep, out TGradient> : IDisposable
    where TStep : IShardStep
    where TGradient : IShardGradient
{
    /// <inheritdoc cref="IShardWorkers{TStep, TGradient}.StepsPerEpoch" />
    int StepsPerEpoch { get; }

    /// <inheritdoc cref="IShardWorkers{TStep, TGradient}.GradientAsync" />
    TGradient Gradient(int shard, TStep step);

    /// <inheritdoc cref="IShardWorkers{TStep, TGradient}.ValidateAsync" />
    Validation Validate(TStep candidate, CancellationToken cancellation);
}
