using MedMerge.Grains.Nodes;
using MedMerge.Storage;
using Orleans.Concurrency;

namespace MedMerge.Grains;

/// <inheritdoc cref="IClusterInfoGrain" />
[StatelessWorker(1)] // every node knows all of them
internal sealed class ClusterInfoGrain(ClusterView cluster, IObjectStore store) : Grain, IClusterInfoGrain
{
    /// <inheritdoc />
    public Task<IReadOnlyList<NodeSummary>> ListAsync() => Task.FromResult(cluster.Nodes());

    /// <inheritdoc />
    public Task<string> GetStoreAsync() => StoreIdentity.EnsureAsync(store, CancellationToken.None);
}
