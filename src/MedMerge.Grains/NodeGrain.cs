using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;

namespace MedMerge.Grains;

/// <inheritdoc cref="INodeGrain" />
[NodePlacement]
internal sealed class NodeGrain(NodeLoad load, NodeCapacity capacity, OutputCache outputs) : Grain, INodeGrain
{
    /// <inheritdoc />
    public Task<NodeState> StateAsync(string except, IReadOnlyList<string> stages) =>
        Task.FromResult(new NodeState(load.CountPerLane(except), outputs.CountHeld(stages))
        {
            Lanes = capacity.Slots,
            MemoryBytes = Environment.WorkingSet,
        });
}
