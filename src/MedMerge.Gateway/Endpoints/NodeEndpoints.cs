using MedMerge.Gateway.Connections;

namespace MedMerge.Gateway.Endpoints;

/// <summary><c>/nodes</c>: the cluster's nodes.</summary>
internal static class NodeEndpoints
{
    public static void Map(RouteGroupBuilder api) =>
        api.MapGet("/nodes", (ClusterConnection cluster) => cluster.Nodes.ListAsync())
            .WithTags("nodes")
            .WithSummary("Lists the cluster's nodes with their devices.");
}
