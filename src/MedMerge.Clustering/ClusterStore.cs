using System.Net;
using Azure;
using Azure.Data.Tables;
using Orleans.Clustering.AzureStorage;

namespace MedMerge.Clustering;

/// <summary>
/// Which store a cluster uses: a row beside the membership table. A node compares its own with it before it joins, for nodes with
/// different stores would take each other's stages and never find the outputs.
/// </summary>
public static class ClusterStore
{
    private const string TableName = "MedMergeClusters";
    private const string RowKey = "store";
    private const string Identity = "Identity";
    private const int Attempts = 5;

    /// <summary>A node renews its row in the membership table every few seconds; one that has not for so long is gone.</summary>
    private static readonly TimeSpan SilenceOfTheDead = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Checks that the cluster uses this store. The first node of a cluster decides; so does a node that finds no other alive, for a
    /// cluster may be moved to another store while it is stopped.
    /// </summary>
    /// <param name="clusterId">Orleans' name of the cluster.</param>
    /// <param name="identity">The identity of this node's store.</param>
    /// <exception cref="InputException">The cluster uses another store.</exception>
    public static async Task CheckAsync(
        TableServiceClient tables,
        string clusterId,
        string identity,
        TimeProvider time,
        CancellationToken cancellation)
    {
        var table = tables.GetTableClient(TableName);
        await table.CreateIfNotExistsAsync(cancellation).ConfigureAwait(false);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (await TryAgreeAsync(tables, table, clusterId, identity, time, cancellation).ConfigureAwait(false)) return;
                throw new InputException(
                    $"The cluster '{clusterId}' uses another store than this node: check ConnectionStrings__blobs, the container that it "
                    + "names, and Store__Folder. To move a cluster, stop all its nodes first. See docs/operations.md.");
            }
            catch (RequestFailedException error) when (IsRace(error) && attempt < Attempts)
            {
                // another node has decided meanwhile
            }
        }
    }

    private static async Task<bool> TryAgreeAsync(
        TableServiceClient tables,
        TableClient table,
        string clusterId,
        string identity,
        TimeProvider time,
        CancellationToken cancellation)
    {
        var found = await table
            .GetEntityIfExistsAsync<TableEntity>(clusterId, RowKey, cancellationToken: cancellation)
            .ConfigureAwait(false);
        var row = new TableEntity(clusterId, RowKey) { [Identity] = identity };
        if (!found.HasValue)
        {
            await table.AddEntityAsync(row, cancellation).ConfigureAwait(false);
            return true;
        }
        if (found.Value!.GetString(Identity) == identity) return true;
        if (await HasLivingNodeAsync(tables, clusterId, time, cancellation).ConfigureAwait(false)) return false;
        await table.UpdateEntityAsync(row, found.Value.ETag, TableUpdateMode.Replace, cancellation).ConfigureAwait(false);
        return true;
    }

    private static async Task<bool> HasLivingNodeAsync(
        TableServiceClient tables,
        string clusterId,
        TimeProvider time,
        CancellationToken cancellation)
    {
        var members = tables.GetTableClient(AzureStorageClusteringOptions.DEFAULT_TABLE_NAME);
        var active = members.QueryAsync<TableEntity>(
            TableClient.CreateQueryFilter($"PartitionKey eq {clusterId} and Status eq {"Active"}"),
            cancellationToken: cancellation);
        await foreach (var member in active.ConfigureAwait(false))
            if (member.Timestamp > time.GetUtcNow() - SilenceOfTheDead) return true;
        return false;
    }

    private static bool IsRace(RequestFailedException error) =>
        error.Status is (int)HttpStatusCode.Conflict or (int)HttpStatusCode.PreconditionFailed or (int)HttpStatusCode.NotFound;
}
