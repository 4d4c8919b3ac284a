using MedMerge.Grains;
using MedMerge.Storage;
using MedMerge.Storage.Tests;
using MedMerge.Storage.Tests.Faults;
using StackExchange.Redis;

namespace MedMerge.Cluster.Tests;

/// <summary>Processes that stand still, leave, and work over a bad network.</summary>
public sealed class StopTests(GarnetServer garnet, AzuriteServer azurite, ITestOutputHelper output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3), ExitDeadline = TimeSpan.FromSeconds(40); // a node promises 30 s, and this machine is busy

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>SIGSTOP for longer than the eviction, then SIGCONT: the others have gone on, and the process that wakes commits nothing and ends.</summary>
    [Fact]
    public async Task A_silo_that_was_stopped_for_longer_than_its_eviction_commits_nothing()
    {
        var plain = await PlainRun.OutputsAsync(Specifications.Long);
        await using var cluster = await new TestCluster(garnet, azurite).StartAsync(2);
        var id = await cluster.SubmitAsync(Specifications.Long);
        var stopped = cluster.Silo(await cluster.WeighingAsync(id, 2));
        await stopped.SignalAsync("STOP");
        output.WriteLine($"from the stop to the next checkpoint: {(await cluster.NextStepAsync(id)).TotalSeconds:0.0} s");
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
        var plain = await PlainRun.OutputsAsync(Specifications.Long);
        await using var cluster = await new TestCluster(garnet, azurite).StartAsync(2);
        var id = await cluster.SubmitAsync(Specifications.Long);
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
        var plain = await PlainRun.OutputsAsync(Specifications.Tiny);
        await using var cluster = await new TestCluster(garnet, azurite).StartAsync(1);
        var faulty = await cluster.StartFaultyAsync("device:artefacts:4");
        var id = await cluster.SubmitAsync(Specifications.Tiny);
        await faulty.ExitAsync(Deadline);
        Assert.Equal(75, faulty.ExitCode);

        var status = await cluster.EndAsync(id, Deadline);
        Assert.True(status.State == WorkState.Done && status.Trials.All(trial => trial.State == WorkState.Done), TestCluster.Describe(status));
        Assert.Equal(plain, await cluster.OutputsAsync());
    }

    /// <summary>Beside an emptied Redis nodes go on, but new ones would make a cluster of their own: it must show.</summary>
    [Fact]
    public async Task A_node_that_the_clusters_table_forgot_says_so_and_is_not_ready()
    {
        await using var cluster = await new TestCluster(garnet, azurite).StartAsync(1);
        await using (var redis = await ConnectionMultiplexer.ConnectAsync(garnet.ConnectionString))
        {
            var keys = redis.GetServer(garnet.ConnectionString).Keys(pattern: $"*{cluster.Container}*").ToArray();
            Assert.NotEmpty(keys);
            await redis.GetDatabase().KeyDeleteAsync(keys);
        }
        await cluster.Silos[0].NotReadyAsync("Was Redis emptied? Start all nodes anew.");
        await cluster.Silos[0].SignalAsync("TERM");
        await cluster.Silos[0].ExitAsync(ExitDeadline);
    }

    /// <summary>In a cluster everything starts at once, and ends in any order.</summary>
    [Fact]
    public async Task A_node_waits_for_Redis_and_ends_in_time_without_it()
    {
        await using var redis = new GarnetServer();
        await using var cluster = new TestCluster(redis, azurite);
        var early = cluster.Begin();
        await early.NotReadyAsync("Waiting for Redis: ");
        await early.SignalAsync("TERM");
        await early.ExitAsync(ExitDeadline);
        Assert.Equal(0, early.ExitCode);

        var node = cluster.Begin();
        await node.NotReadyAsync("Waiting for Redis: ");
        await redis.InitializeAsync();
        await node.ReadyAsync();

        await redis.DisposeAsync();
        await node.SignalAsync("TERM");
        await node.ExitAsync(ExitDeadline);
    }

    [Fact]
    public async Task A_node_waits_for_the_store()
    {
        await using var cluster = new TestCluster(garnet, azurite, new Uri($"http://127.0.0.1:{FreePorts.Take()}"));
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
    [InlineData("ConnectionStrings__redis", "", "ConnectionStrings__redis is not set")]
    public async Task A_node_whose_settings_or_device_do_not_work_does_not_join(string variable, string value, string says)
    {
        await using var cluster = new TestCluster(garnet, azurite, settings: new() { [variable] = value });
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
        await using var cluster = await new TestCluster(garnet, azurite).StartAsync(1);
        var id = await cluster.SubmitAsync(Specifications.Tiny + "\ndevice: cuda:0\n");
        SweepStatus status;
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
        var plain = await PlainRun.OutputsAsync(Specifications.Tiny);
        await using var proxy = new FaultyProxy(azurite.Address, rate, seed: (ulong)(rate * 100));
        await using var cluster = await new TestCluster(garnet, azurite, proxy.Address).StartAsync(2);
        var id = await cluster.SubmitAsync(Specifications.Tiny);
        var status = await cluster.EndAsync(id, Deadline);
        output.WriteLine($"{proxy.Faults} faults");
        Assert.True(proxy.Faults > 0 || rate < 0.05, "There was no fault.");
        Assert.True(status.State == WorkState.Done && status.Trials.All(trial => trial.State == WorkState.Done), TestCluster.Describe(status));
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
