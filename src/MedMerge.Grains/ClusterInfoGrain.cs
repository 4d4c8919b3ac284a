using MedMerge.Grains.Nodes;
using Orleans.Concurrency;

namespace MedMerge.Grains;

/// <inheritdoc cref="IClusterInfoGrain" />
[StatelessWorker(1)] // on whichever node is asked: it knows them all
internal sealed class ClusterInfoGrain(ClusterView cluster) : Grain, IClusterInfoGrain
{
    /// <inheritdoc />
    public Task<IReadOnlyList<NodeSummary>> ListAsync() => Task.FromResult(cluster.Nodes());
}
