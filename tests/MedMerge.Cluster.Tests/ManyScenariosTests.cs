using MedMerge.Grains;
using MedMerge.Storage;
using MedMerge.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>A sweep of many scenarios, disturbed.</summary>
public sealed class ManyScenariosTests(AzuriteServer azurite)
{
    private const int Trials = 48;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    /// <summary>Two targets, every pair of three sources, two learning rates, and three methods, of which one has a row a source.</summary>
    private const string Yaml = """
        name: many
        targets:
          - { name: lesions, data: "phantom:lesions", trainImages: 24 }
          - { name: vessels, data: "phantom:vessels", trainImages: 24 }
        architecture: resnet20
        width: 0.125
        sources:
          - name: cells
            pretrain: { data: "phantom:cells", trainImages: 24, epochs: 1, batchSize: 8 }
          - name: opacities
            pretrain: { data: "phantom:opacities", trainImages: 24, epochs: 1, batchSize: 8 }
          - name: later
            from: cells
            pretrain: { data: "phantom:opacities", trainImages: 24, epochs: 1, batchSize: 8 }
        sourceSets: pairs
        vary: { fineTune.learningRate: [0.001, 0.003] }
        methods: [medmerge, average, fine-tune]
        seeds: 1
        learningRateTries: 1
        kernelWeights: { epochs: 1, batchSize: 8 }
        fineTune: { epochs: 1, batchSize: 8 }
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Many_trials_on_two_nodes_of_which_one_is_killed_twice_and_a_pause_lose_and_double_nothing()
    {
        var plain = await PlainRun.OutputsAsync(Yaml);
        await using var cluster = await new TestCluster(azurite).StartAsync(2);
        var id = await cluster.SubmitAsync(Yaml);

        await DoneAsync(cluster, id, Trials / 6);
        await KillAndReplaceAsync(cluster, cluster.Silos[0]);
        await DoneAsync(cluster, id, Trials / 3);
        var sweep = (await cluster.GrainsAsync()).GetGrain<ISweepGrain>(id);
        Assert.Equal(WorkState.Paused, (await sweep.PauseAsync()).State);
        var paused = await cluster.StatusAsync(id);
        Assert.InRange(paused.Done, 1, Trials - 1);
        Assert.Equal(WorkState.Running, (await sweep.ResumeAsync()).State);
        await DoneAsync(cluster, id, Trials / 2);
        await KillAndReplaceAsync(cluster, cluster.Silos[^1]); // the one that took its place

        var status = await cluster.EndAsync(id, Deadline);
        Assert.Equal(WorkState.Done, status.State);
        Assert.Equal(Trials, status.Trials.Count);
        Assert.All(status.Trials, trial => Assert.Equal(WorkState.Done, trial.State));
        Assert.Equal(plain, await cluster.OutputsAsync());
        Assert.Empty((await StoreMaintenance.VerifyAsync(await cluster.StoreAsync(), Cancellation)).Damaged);
    }

    private static async Task KillAndReplaceAsync(TestCluster cluster, SiloProcess silo)
    {
        await silo.KillAsync();
        await cluster.StartAsync(1);
    }

    private static async Task DoneAsync(TestCluster cluster, string id, int count)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        deadline.CancelAfter(Deadline);
        while ((await cluster.StatusAsync(id)).Done < count) await Task.Delay(TimeSpan.FromMilliseconds(100), deadline.Token);
    }
}
