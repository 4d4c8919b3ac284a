namespace MedMerge.Grains;

/// <summary>What the parts of a cluster are called, in an app host, in connection strings and in telemetry.</summary>
public static class ClusterNames
{
    /// <summary>
    /// The storage account, <c>ConnectionStrings__blobs</c>: its tables hold the cluster's members, its blobs
    /// everything else.
    /// </summary>
    public const string Blobs = "blobs";

    /// <summary>The nodes.</summary>
    public const string Silo = "silo";

    /// <summary>The process that serves the HTTP API.</summary>
    public const string Gateway = "gateway";
}
