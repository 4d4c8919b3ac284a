using Azure.Data.Tables;
using Azure.Storage.Blobs;
using MedMerge.Clustering;
using MedMerge.Testing;
using Microsoft.Extensions.Time.Testing;
using Orleans.Clustering.AzureStorage;

namespace MedMerge.Cluster.Tests;

/// <summary>All nodes of a cluster use one store, and notice when it is gone.</summary>
public sealed class StoreTests(AzuriteServer azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Connection => AzuriteServer.ConnectionString(azurite.Address, azurite.Tables);

    [Fact]
    public async Task The_first_node_decides_and_another_store_is_refused_while_a_node_lives()
    {
        azurite.SkipWhereMissing();
        var id = "store-" + Guid.NewGuid().ToString("N")[..12];
        var tables = new TableServiceClient(Connection);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        Task CheckAsync(string identity) => ClusterStore.CheckAsync(tables, id, identity, time, Cancellation);
        await ClusterTable.EnsureExistsAsync(tables, Cancellation);
        var members = tables.GetTableClient(AzureStorageClusteringOptions.DEFAULT_TABLE_NAME);
        await members.AddEntityAsync(new TableEntity(id, "127.0.0.1-1-1") { ["Status"] = "Active" }, Cancellation);

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => CheckAsync("ours")));
        await CheckAsync("ours");
        var refused = await Assert.ThrowsAsync<InputException>(() => CheckAsync("another"));
        Assert.StartsWith($"The cluster '{id}' uses another store than this node", refused.Message, StringComparison.Ordinal);

        time.Advance(TimeSpan.FromMinutes(2)); // and nobody has renewed a row since
        await CheckAsync("another");
        await members.AddEntityAsync(new TableEntity(id, "127.0.0.1-1-2") { ["Status"] = "Dead" }, Cancellation);
        await CheckAsync("ours");
    }

    [Fact]
    public async Task A_node_with_another_store_ends_before_it_joins_and_one_without_a_store_does_not_start()
    {
        azurite.SkipWhereMissing();
        var id = "store-" + Guid.NewGuid().ToString("N")[..12];
        var folder = Directory.CreateTempSubdirectory("medmerge-store-").FullName;
        var environment = new Dictionary<string, string>
        {
            ["Orleans__ClusterId"] = id,
            ["Orleans__ServiceId"] = id,
            ["ConnectionStrings__blobs"] = $"{Connection}ContainerName={id}",
        };
        await using var first = SiloProcess.Start(environment);
        await first.ReadyAsync();

        await using var other = SiloProcess.Start(new Dictionary<string, string>(environment) { ["Store__Folder"] = folder });
        await other.ExitAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(2, other.ExitCode);
        Assert.Contains("uses another store than this node", other.Log, StringComparison.Ordinal);

        // The table is found, the store is not named.
        await using var without = SiloProcess.Start(new Dictionary<string, string>(environment)
        {
            ["ConnectionStrings__blobs"] = "",
            ["ConnectionStrings__tables"] = Connection,
            ["Orleans__Clustering__ServiceKey"] = "tables",
        });
        await without.ExitAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(2, without.ExitCode);
        Assert.Contains("No store is configured", without.Log, StringComparison.Ordinal);

        await first.ReadyAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Without_its_container_a_node_is_not_ready_and_with_a_new_one_it_is_again()
    {
        await using var cluster = new TestCluster(azurite);
        await cluster.StartAsync(1);
        var container = new BlobContainerClient(Connection, cluster.Container);

        await container.DeleteAsync(cancellationToken: Cancellation);
        await cluster.Silos[0].NotReadyAsync("The store does not answer");
        await container.CreateAsync(cancellationToken: Cancellation);
        await cluster.Silos[0].ReadyAsync();
    }
}
