using Orleans.Concurrency;

namespace MedMerge.Grains;

/// <summary>Tells of the node that it is on. Its key is the silo, as <see cref="StageProgress.Node"/> names it.</summary>
public interface INodeGrain : IGrainWithStringKey
{
    /// <summary>How busy the node is, and how many of some stages' outputs it holds in its memory.</summary>
    /// <param name="besides">Key of a stage whose own work does not count.</param>
    /// <param name="stages">Their keys.</param>
    [AlwaysInterleave]
    Task<NodeState> StateAsync(string besides, IReadOnlyList<string> stages);
}

/// <summary>What a node tells of itself.</summary>
/// <param name="Work">Shards and whole stages at work on its device.</param>
/// <param name="Held">How many of the outputs asked for it holds.</param>
[GenerateSerializer, Immutable]
public sealed record NodeState([property: Id(0)] int Work, [property: Id(1)] int Held);
