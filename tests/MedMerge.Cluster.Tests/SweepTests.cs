using System.Diagnostics;
using MedMerge.Grains;
using MedMerge.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>Sweeps of several trials, and trials that fail: what is retried, left out, and told.</summary>
public sealed class SweepTests(AzuriteServer azurite)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>No trial is lost, and none doubled: each has the one result of an undisturbed run.</summary>
    [Fact]
    public async Task A_sweep_whose_nodes_are_killed_has_every_trial_once()
    {
        var longer = Specifications.Small with { Seeds = 2, KernelWeights = "{ epochs: 25, batchSize: 16, shards: 4 }" };
        var yaml = longer.Yaml;
        var plain = await PlainRun.OutputsAsync(yaml);
        await using var cluster = await new TestCluster(azurite).StartAsync(3);
        var id = await cluster.SubmitAsync(yaml);
        await cluster.Silo(await cluster.WeighingAsync(id, 1)).KillAsync();
        await cluster.StartAsync(1);
        await cluster.Silos.First(silo => !silo.HasExited).KillAsync();

        var status = await cluster.EndAsync(id, Deadline);
        Assert.True(status.State == WorkState.Done && status.Done == status.Trials.Count, TestCluster.Describe(status));
        Assert.Equal(Enumerable.Range(1, status.Trials.Count), status.Trials.Select(trial => trial.Number));
        Assert.Equal(6, status.Trials.Count);
        Assert.Equal(plain, await cluster.OutputsAsync());
    }

    /// <summary>A long trial on machines that are taken away now and then ends.</summary>
    [Fact]
    public async Task A_trial_that_makes_progress_survives_more_deaths_than_would_quarantine_it()
    {
        var yaml = Specifications.LearnFor(60).Yaml;
        await using var cluster = await new TestCluster(azurite).StartAsync(2);
        var id = await cluster.SubmitAsync(yaml);
        for (var death = 0; death < 4; death++)
        {
            await cluster.Silo(await cluster.WeighingAsync(id, 5 * (death + 1))).KillAsync();
            await cluster.StartAsync(1);
        }
        var status = await cluster.EndAsync(id, Deadline);
        Assert.True(status.Trials.Single().State == WorkState.Done, TestCluster.Describe(status));
    }

    [Fact]
    public async Task A_trial_under_which_nodes_died_three_times_without_progress_is_left_out_until_the_sweep_is_resumed()
    {
        // Without a checkpoint no epoch counts as progress.
        var settings = new Dictionary<string, string> { ["Node__CheckpointInterval"] = "01:00:00" };
        await using var cluster = await new TestCluster(azurite, settings: settings).StartAsync(4);
        var id = await cluster.SubmitAsync(Specifications.LearnFor(1000).Yaml);
        for (var death = 0; death < 3; death++)
        {
            var coordinator = await cluster.WeighingAsync(id, -1);
            await cluster.RecordedAsync(id, coordinator);
            await cluster.Silo(coordinator).KillAsync();
        }
        var status = await cluster.EndAsync(id, Deadline);
        Assert.Equal((WorkState.Done, WorkState.Quarantined), (status.State, status.Trials.Single().State));
        Assert.Contains("Nodes died 3 times while they ran this trial", status.Trials[0].Reason, StringComparison.Ordinal);

        var sweep = (await cluster.GrainsAsync()).GetGrain<ISweepGrain>(id);
        Assert.Equal(WorkState.Running, (await sweep.ResumeAsync()).State);
        Assert.Equal(WorkState.Cancelled, (await sweep.CancelAsync()).State);
    }

    /// <summary>A source that the store has lost fails the trials that need it, after retries, and no other.</summary>
    [Fact]
    public async Task A_trial_that_fails_does_not_stop_its_sweep()
    {
        var model = Path.Combine(Path.GetTempPath(), $"medmerge-{Guid.NewGuid():N}.safetensors");
        string[] arguments =
        [
            Repository.Program("MedMerge.Cli"), "pretrain",
            "--data", "phantom:cells",
            "--architecture", "resnet20",
            "--width", "0.125",
            "--epochs", "1",
            "--threads", "1",
            "--store", model + ".store",
            "--output", model,
        ];
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using (var process = Process.Start(start)!)
        {
            await process.WaitForExitAsync(Cancellation);
            Assert.Equal(0, process.ExitCode);
        }
        await using var cluster = await new TestCluster(azurite).StartAsync(1);
        var id = await cluster.SubmitWithoutAsync($$"""
            name: lost
            target: { data: 'phantom:lesions', trainImages: 24 }
            architecture: resnet20
            width: 0.125
            sources:
              - name: a
                pretrain: { data: 'phantom:opacities', trainImages: 24, epochs: 1 }
              - { name: b, weights: '{{model}}' }
            methods: [lp-ft]
            seeds: 1
            threads: 1
            learningRateTries: 1
            fineTune: { epochs: 1, batchSize: 8 }
            """, model);
        File.Delete(model);
        Directory.Delete(model + ".store", recursive: true);

        var status = await cluster.EndAsync(id, Deadline);
        Assert.Equal(WorkState.Done, status.State);
        Assert.Equal([(WorkState.Done, 1), (WorkState.Failed, 1)], status.Trials.Select(trial => (trial.State, trial.Attempt)));
        Assert.Contains(".safetensors", status.Trials[1].Reason, StringComparison.Ordinal);
        Assert.Contains("is missing in the store or damaged", status.Trials[1].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shard_that_does_not_answer_in_time_is_named_and_placed_anew()
    {
        var settings = new Dictionary<string, string> { ["Node__StepDeadline"] = "00:00:00.0001" };
        await using var cluster = await new TestCluster(azurite, settings: settings).StartAsync(2);
        var id = await cluster.SubmitAsync(Specifications.Tiny.Yaml);
        SweepView status;
        do
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), Cancellation);
            status = await cluster.StatusAsync(id);
            Assert.False(status.HasEnded, TestCluster.Describe(status));
        }
        while (status.Trials[0].Reason is null);
        Assert.Matches(@"Shard \d of 2 has not answered 5 times \(.+\), last on ", status.Trials[0].Reason);
        Assert.Contains("and is replaced.", string.Concat(cluster.Silos.Select(silo => silo.Log)), StringComparison.Ordinal);
        await (await cluster.GrainsAsync()).GetGrain<ISweepGrain>(id).CancelAsync();
    }
}
