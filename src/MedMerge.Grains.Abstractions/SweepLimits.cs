namespace MedMerge.Grains;

/// <summary>How much of a sweep may run, and before which others; a user may change it while the sweep runs.</summary>
/// <param name="Parallel">Trials at a time; null for as many as the nodes have lanes.</param>
/// <param name="Priority">A sweep of higher priority is served first; those of the same share the lanes.</param>
/// <param name="Trials">How many trials may be begun; null for all.</param>
/// <param name="DeviceHours">How much of the lanes' time may be used, in hours; null for any.</param>
[GenerateSerializer, Immutable]
public sealed record SweepLimits(
    [property: Id(0)] int? Parallel = null,
    [property: Id(1)] int Priority = 0,
    [property: Id(2)] int? Trials = null,
    [property: Id(3)] double? DeviceHours = null)
{
    /// <summary>The limits of a sweep that names none.</summary>
    public static SweepLimits None { get; } = new();
}
