namespace MedMerge.Grains;

/// <summary>
/// Owns one fixed part of a stage's training images and computes its loss and gradient on its node's device. Its key is
/// <c>DEVICE/STAGE/SHARD/PLACEMENT</c>; the last number grows when the shard is placed anew.
/// </summary>
public interface IShardGrain : IGrainWithStringKey
{
    /// <summary>As long as any of a shard's calls may take; the caller's own deadline, an option of its node, is shorter.</summary>
    const string ResponseTimeout = "01:00:00";

    /// <summary>Loads data and models onto the device, so that no step has to wait for it.</summary>
    [ResponseTimeout(ResponseTimeout)]
    Task<ShardOpened> OpenAsync(ShardRequest request);

    /// <summary>Frees the device's memory.</summary>
    Task CloseAsync();
}

/// <summary>Which shard of what.</summary>
/// <param name="Specification">SHA-256 of the frozen specification.</param>
/// <param name="Trial">From 1.</param>
/// <param name="Stage">Key of the stage.</param>
[GenerateSerializer, Immutable]
public sealed record ShardRequest(
    [property: Id(0)] string Specification, [property: Id(1)] int Trial, [property: Id(2)] string Stage, [property: Id(3)] int Shard);

/// <summary>A shard that is ready.</summary>
/// <param name="StepsPerEpoch">The same for every shard of a stage.</param>
/// <param name="Node">The silo that it is on.</param>
[GenerateSerializer, Immutable]
public sealed record ShardOpened([property: Id(0)] int StepsPerEpoch, [property: Id(1)] string Node);

/// <summary>Scores of a candidate on the validation split.</summary>
[GenerateSerializer, Immutable]
public sealed record ValidationMessage([property: Id(0)] double MacroF1, [property: Id(1)] double Loss);
