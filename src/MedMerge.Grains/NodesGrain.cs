using MedMerge.Grains.Nodes;
using Orleans.Concurrency;

namespace MedMerge.Grains;

/// <inheritdoc cref="INodesGrain" />
[StatelessWorker(1)] // on whichever node is asked: it knows them all
internal sealed class NodesGrain(ClusterView cluster) : Grain, INodesGrain
{
    /// <inheritdoc />
    public Task<IReadOnlyList<NodeLine>> ListAsync() => Task.FromResult(cluster.Nodes());
}
