using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;

namespace MedMerge.Grains;

/// <inheritdoc cref="INodeGrain" />
[NodePlacement]
internal sealed class NodeGrain(NodeLoad load, OutputCache outputs) : Grain, INodeGrain
{
    /// <inheritdoc />
    public Task<NodeState> StateAsync(string besides, IReadOnlyList<string> stages) => Task.FromResult(new NodeState(load.CountExcluding(besides), outputs.Held(stages)));
}
