namespace MedMerge.Grains;

/// <summary>Information about the cluster. Its key is 0.</summary>
public interface IClusterInfoGrain : IGrainWithIntegerKey
{
    /// <summary>All nodes, for a while also those that have left or died.</summary>
    Task<IReadOnlyList<NodeSummary>> ListAsync();

    /// <summary>The identity of the store that the nodes use.</summary>
    Task<string> GetStoreAsync();
}

/// <summary>A node.</summary>
/// <param name="Node">The silo, as <see cref="StageProgress.Node"/> names it.</param>
/// <param name="Name">As shown to people.</param>
/// <param name="Status">As Orleans names it: Active, Dead, …</param>
/// <param name="Device">The kind: <c>cpu</c> or <c>cuda MODEL</c>; null where it is not known.</param>
[GenerateSerializer, Immutable]
public sealed record NodeSummary(
    [property: Id(0)] string Node,
    [property: Id(1)] string Name,
    [property: Id(2)] string Status,
    [property: Id(3)] string? Device)
{
    /// <summary>Whether it is there and takes work.</summary>
    public bool IsActive => Status == nameof(SiloStatus.Active);
}
