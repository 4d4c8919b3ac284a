using System.Diagnostics;
using MedMerge.Grains;
using MedMerge.Storage;
using MedMerge.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>Processes that stand still, leave, and work over a bad network.</summary>
public sealed class StopTests(AzuriteServer azurite, ITestOutputHelper output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan ExitDeadline = TimeSpan.FromSeconds(40); // a node promises 30 s, and test machines are busy

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>
    /// SIGSTOP for longer than the eviction, then SIGCONT: the others have gone on, and the process that wakes commits nothing
    /// and ends.
    /// </summary>
    [Fact]
    public async Task A_silo_that_was_stopped_for_longer_than_its_eviction_commits_nothing()
    {
        var plain = await PlainRun.OutputsAsync(Specifications.Long.Yaml);
        await using var cluster = await new TestCluster(azurite).StartAsync(2);
        var id = await cluster.SubmitAsync(Specifications.Long.Yaml);
        var stopped = cluster.Silo(await cluster.WeighingAsync(id, 2));
        await stopped.SignalAsync("STOP");
        var watch = Stopwatch.StartNew();
        var next = cluster.NextStepAsync(id);
        await cluster.EvictedAsync(stopped);
        output.WriteLine($"from the stop to the eviction: {watch.Elapsed.TotalSeconds:0.0} s");
        output.WriteLine($"from the stop to the next checkpoint: {(await next).TotalSeconds:0.0} s");
        Assert.Equal(WorkState.Done, (await cluster.EndAsync(id, Deadline)).State);
        var before = await ObjectsAsync(cluster);

        await stopped.SignalAsync("CONT");
        await stopped.ExitAsync(ExitDeadline);

        Assert.NotEqual(0, stopped.ExitCode);
        Assert.Equal(before, await ObjectsAsync(cluster));
        Assert.Equal(plain, await cluster.OutputsAsync());
    }

    [Fact]
    public async Task A_silo_that_is_told_to_end_hands_its_work_over()
    {
        var plain = await PlainRun.OutputsAsync(Specifications.Long.Yaml);
        await using var cluster = await new TestCluster(azurite).StartAsync(2);
        var id = await cluster.SubmitAsync(Specifications.Long.Yaml);
        var leaving = cluster.Silo(await cluster.WeighingAsync(id, 2));
        await leaving.SignalAsync("TERM");
        await leaving.ExitAsync(ExitDeadline);
        Assert.Equal(0, leaving.ExitCode);
        Assert.Contains("stopped after epoch ", leaving.Log, StringComparison.Ordinal);

        Assert.Equal(WorkState.Done, (await cluster.EndAsync(id, Deadline)).State);
        Assert.Equal(plain, await cluster.OutputsAsync());
        var record = (await new SweepStore(await cluster.StoreAsync()).FindAsync(id, Cancellation))!.Value.Record;
        Assert.All(record.Trials, trial => Assert.Equal((0, 1), (trial.NodeDeaths, trial.Attempt)));
    }

    /// <summary>A node whose device fails leaves, and its work goes on elsewhere: the trial does not meet it again.</summary>
    [Fact]
    public async Task A_silo_whose_device_fails_leaves_and_the_run_ends_with_the_same_bytes()
    {
        var plain = await PlainRun.OutputsAsync(Specifications.Tiny.Yaml);
        await using var cluster = new TestCluster(azurite);
        var faulty = await cluster.StartFaultyAsync("device:artefacts:4");
        var id = await cluster.SubmitAsync(Specifications.Tiny.Yaml);
        await faulty.ExitAsync(Deadline);
        Assert.Equal(75, faulty.ExitCode);
        await cluster.StartAsync(1); // not before: it might do all the work

        var status = await cluster.EndAsync(id, Deadline);
        Assert.True(status.State == WorkState.Done, TestCluster.Describe(status));
        Assert.All(status.Trials, trial => Assert.True(trial.State == WorkState.Done, TestCluster.Describe(status)));
        Assert.Equal(plain, await cluster.OutputsAsync());
    }

    [Fact]
    public async Task A_node_waits_for_the_store()
    {
        await using var cluster = new TestCluster(azurite, blobs: new Uri($"http://127.0.0.1:{FreePorts.Take()}"));
        var node = cluster.Begin();
        await node.NotReadyAsync("Waiting for the store");
        await node.SignalAsync("TERM");
        await node.ExitAsync(ExitDeadline);
        Assert.Equal(0, node.ExitCode);
    }

    /// <summary>It would fail every trial that it is given.</summary>
    [Theory]
    [InlineData("Node__Device", "cuda:99", "device 'cuda:99'")]
    [InlineData("Node__Device", "gpu", "device 'gpu' is not known")]
    [InlineData("Node__StepDeadline", "soon", "Node__… can't be understood")]
    [InlineData("Node__CacheMiB", "-1", "Node__CacheMiB must be")]
    [InlineData("ConnectionStrings__blobs", "", "ConnectionStrings__blobs is not set")]
    [InlineData("Orleans__Clustering__ProviderType", "Redis", "ProviderType must be AzureTableStorage")]
    [InlineData("Tls__Folder", "/nowhere", "Tls__Folder: the certificate in /nowhere can't be read")]
    public async Task A_node_whose_settings_or_device_do_not_work_does_not_join(string variable, string value, string says)
    {
        await using var cluster = new TestCluster(azurite, settings: new() { [variable] = value });
        var node = cluster.Begin();
        await node.ExitAsync(ExitDeadline);
        Assert.Equal(2, node.ExitCode);
        Assert.Contains(says, node.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", node.Log, StringComparison.Ordinal); // no stack
    }

    /// <summary>GPU nodes may come minutes later, or an hour: the sweep says what it waits for, and nothing fails.</summary>
    [Fact]
    public async Task A_sweep_whose_device_no_node_has_says_so_and_waits()
    {
        await using var cluster = await new TestCluster(azurite).StartAsync(1);
        var id = await cluster.SubmitAsync((Specifications.Tiny with { Device = "cuda:0" }).Yaml);
        SweepView status;
        do
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), Cancellation);
            status = await cluster.StatusAsync(id);
        }
        while (status.Reason is null);
        Assert.Contains("No node has the device 'cuda' now", status.Reason, StringComparison.Ordinal);
        Assert.Equal(WorkState.Running, status.State);
        Assert.All(status.Trials, trial => Assert.Equal((WorkState.Waiting, 0), (trial.State, trial.Attempt)));
        Assert.Equal(WorkState.Cancelled, (await (await cluster.GrainsAsync()).GetGrain<ISweepGrain>(id).CancelAsync()).State);
        Assert.Null((await cluster.StatusAsync(id)).Reason);
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.05)]
    [InlineData(0.2)]
    public async Task Over_a_network_with_faults_it_ends_with_the_same_bytes(double rate)
    {
        var plain = await PlainRun.OutputsAsync(Specifications.Tiny.Yaml);
        await using var blobs = new FaultyProxy(azurite.Address, rate, seed: (ulong)(rate * 100));
        await using var tables = new FaultyProxy(azurite.Tables, rate, seed: (ulong)(rate * 100), corrupts: false);
        await using var cluster = await new TestCluster(azurite, blobs.Address, tables.Address).StartAsync(2);
        var id = await cluster.SubmitAsync(Specifications.Tiny.Yaml);
        var status = await cluster.EndAsync(id, Deadline);
        output.WriteLine($"{blobs.Faults} faults of blobs, {tables.Faults} of tables");
        Assert.True(blobs.Faults > 0 || rate < 0.05, "There was no fault of blobs.");
        Assert.True(tables.Faults > 0 || rate < 0.2, "There was no fault of tables."); // there are few requests
        Assert.True(status.State == WorkState.Done, TestCluster.Describe(status));
        Assert.All(status.Trials, trial => Assert.True(trial.State == WorkState.Done, TestCluster.Describe(status)));
        Assert.Equal(plain, await cluster.OutputsAsync());
        Assert.Empty((await StoreMaintenance.VerifyAsync(await cluster.StoreAsync(), Cancellation)).Damaged);
    }

    private static async Task<List<(string, DateTimeOffset)>> ObjectsAsync(TestCluster cluster)
    {
        var objects = new List<(string, DateTimeOffset)>();
        await foreach (var found in (await cluster.StoreAsync()).ListAsync("", Cancellation)) objects.Add((found.Name, found.Modified));
        return objects;
    }
}
