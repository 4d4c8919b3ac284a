namespace MedMerge.Grains;

/// <summary>Shares the lanes of a kind of device among the sweeps that run. Its key is the kind.</summary>
public interface ILaneShareGrain : IGrainWithStringKey
{
    /// <summary>How many lanes are the sweep's now; to be asked again every few seconds, or it counts as gone.</summary>
    Task<int> GetShareAsync(LaneRequest request);
}

/// <summary>What a sweep wants.</summary>
/// <param name="Priority">Higher ones are served first.</param>
/// <param name="Wanted">How many trials it could run.</param>
/// <param name="Lanes">How many lanes there are in all.</param>
[GenerateSerializer, Immutable]
public sealed record LaneRequest(
    [property: Id(0)] string Sweep,
    [property: Id(1)] int Priority,
    [property: Id(2)] int Wanted,
    [property: Id(3)] int Lanes);
