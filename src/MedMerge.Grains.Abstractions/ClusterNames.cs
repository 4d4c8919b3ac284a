namespace MedMerge.Grains;

/// <summary>What the parts of a cluster are called, in an app host, in connection strings and in telemetry.</summary>
public static class ClusterNames
{
    /// <summary>The Redis that holds the cluster's members: <c>ConnectionStrings__redis</c>, and the key of the connection that Orleans asks for.</summary>
    public const string Redis = "redis";

    /// <summary>The blob service that holds everything else: <c>ConnectionStrings__blobs</c>.</summary>
    public const string Blobs = "blobs";

    /// <summary>The nodes.</summary>
    public const string Silo = "silo";

    /// <summary>The process that serves the HTTP API.</summary>
    public const string Gateway = "gateway";
}
