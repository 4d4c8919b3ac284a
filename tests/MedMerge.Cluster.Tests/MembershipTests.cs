using System.Diagnostics;
using Azure.Data.Tables;
using MedMerge.Grains;
using MedMerge.Testing;
using Orleans.Clustering.AzureStorage;

namespace MedMerge.Cluster.Tests;

/// <summary>The membership table is away, hangs, comes back or is emptied.</summary>
public sealed class MembershipTests(AzuriteServer azurite, ITestOutputHelper output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan ExitDeadline = TimeSpan.FromSeconds(40); // a node promises 30 s, and test machines are busy

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public enum Outage
    {
        Refused,
        Hanging,
    }

    /// <summary>
    /// Work needs no table. A node that dies meanwhile is declared dead, and a new one joins, as soon as the table is back.
    /// </summary>
    [Theory]
    [InlineData(Outage.Refused)]
    [InlineData(Outage.Hanging)]
    public async Task While_the_membership_table_is_away_work_continues_and_deaths_and_joins_wait(Outage outage)
    {
        var yaml = Specifications.LearnFor(40).Yaml;
        var plain = await PlainRun.OutputsAsync(yaml);
        await using var tables = new NetworkSwitch(azurite.Tables);
        await using var cluster = await new TestCluster(azurite, tables: tables.Address).StartAsync(3);
        var id = await cluster.SubmitAsync(yaml);
        var coordinator = cluster.Silo(await cluster.WeighingAsync(id, 1));

        if (outage == Outage.Refused) tables.Disconnect();
        else tables.Hang();
        await cluster.WeighingAsync(id, 6);
        await coordinator.ReadyAsync();
        var victim = cluster.Silos.First(silo => silo != coordinator);
        await victim.KillAsync();
        var joining = cluster.Begin();
        await joining.NotReadyAsync("Waiting for the membership table");

        tables.Connect();
        var watch = Stopwatch.StartNew();
        await cluster.NextStepAsync(id);
        output.WriteLine($"from the table's return to the next checkpoint: {watch.Elapsed.TotalSeconds:0.0} s");
        await joining.ReadyAsync();
        output.WriteLine($"from the table's return to the new node's joining: {watch.Elapsed.TotalSeconds:0.0} s");
        Assert.Equal(WorkState.Done, (await cluster.EndAsync(id, Deadline)).State);
        Assert.Equal(plain, await cluster.OutputsAsync());
    }

    /// <summary>Beside an emptied table nodes keep working, but new ones would form a cluster of their own: it must show.</summary>
    [Fact]
    public async Task A_node_that_the_membership_table_forgot_says_so_and_is_not_ready()
    {
        await using var cluster = await new TestCluster(azurite).StartAsync(1);
        var table = cluster.Tables.GetTableClient(AzureStorageClusteringOptions.DEFAULT_TABLE_NAME);
        var rows = await table.QueryAsync<TableEntity>($"PartitionKey eq '{cluster.Container}'", cancellationToken: Cancellation)
            .ToListAsync(Cancellation);
        Assert.NotEmpty(rows);
        foreach (var row in rows) await table.DeleteEntityAsync(row.PartitionKey, row.RowKey, cancellationToken: Cancellation);

        await cluster.Silos[0].NotReadyAsync("Was it emptied? Restart all nodes.");
        await cluster.Silos[0].SignalAsync("TERM");
        await cluster.Silos[0].ExitAsync(ExitDeadline);
    }

    /// <summary>In a cluster everything starts at once, and ends in any order.</summary>
    [Fact]
    public async Task A_node_waits_for_the_membership_table_and_ends_in_time_without_it()
    {
        await using var tables = new NetworkSwitch(azurite.Tables, isConnected: false);
        await using var cluster = new TestCluster(azurite, tables: tables.Address);
        var early = cluster.Begin();
        await early.NotReadyAsync("Waiting for the membership table: ");
        await early.SignalAsync("TERM");
        await early.ExitAsync(ExitDeadline);
        Assert.Equal(0, early.ExitCode);

        var node = cluster.Begin();
        await node.NotReadyAsync("Waiting for the membership table: ");
        tables.Connect();
        await node.ReadyAsync();

        tables.Disconnect();
        await node.SignalAsync("TERM");
        await node.ExitAsync(ExitDeadline);
    }
}
