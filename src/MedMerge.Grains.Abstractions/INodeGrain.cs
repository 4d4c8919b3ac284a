using Orleans.Concurrency;

namespace MedMerge.Grains;

/// <summary>One node. Its key is the silo, as <see cref="StageProgress.Node"/> names it.</summary>
public interface INodeGrain : IGrainWithStringKey
{
    /// <summary>How busy the node is, and how many of some stages' outputs it holds in its memory.</summary>
    /// <param name="except">Key of a stage whose own work does not count.</param>
    /// <param name="stages">Keys of those stages.</param>
    [AlwaysInterleave]
    Task<NodeState> StateAsync(string except, IReadOnlyList<string> stages);
}

/// <summary>A node's state.</summary>
/// <param name="Work">Shards and whole stages that run or wait there, by lane.</param>
/// <param name="Held">How many of the outputs it holds.</param>
[GenerateSerializer, Immutable]
public sealed record NodeState([property: Id(0)] double Work, [property: Id(1)] int Held)
{
    /// <summary>How many stages of one thread it computes at a time.</summary>
    [Id(2)]
    public int Lanes { get; init; }

    /// <summary>Of its process, in bytes.</summary>
    [Id(3)]
    public long MemoryBytes { get; init; }
}
