using System.Diagnostics;
using MedMerge.Grains;
using MedMerge.Storage;
using MedMerge.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>
/// Processes are killed and stopped at random steps and at named points: every run finishes by itself with the bytes of the
/// undisturbed one.
/// </summary>
public sealed class KillTests(AzuriteServer azurite, ITestOutputHelper output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    public enum Victim
    {
        Coordinator,
        Shard,
        All,
    }

    [Theory]
    [InlineData(Victim.Coordinator)]
    [InlineData(Victim.Shard)]
    [InlineData(Victim.All)]
    public async Task Killed_at_a_random_step_it_ends_with_the_same_bytes(Victim victim)
    {
        var plain = await PlainRun.OutputsAsync(Specifications.Long.Yaml);
        var seed = Environment.TickCount;
        var random = new Random(seed);
        await using var cluster = await new TestCluster(azurite).StartAsync(3);
        var id = await cluster.SubmitAsync(Specifications.Long.Yaml);
        var epoch = random.Next(0, 6);
        var coordinator = cluster.Silo(await cluster.WeighingAsync(id, epoch));
        await Task.Delay(random.Next(0, 300), TestContext.Current.CancellationToken);
        SiloProcess[] victims = victim switch
        {
            Victim.Coordinator => [coordinator],
            Victim.Shard => [cluster.Silos.First(silo => silo != coordinator)], // four shards on three silos: every one has some
            _ => [.. cluster.Silos],
        };
        await Task.WhenAll(victims.Select(silo => silo.KillAsync()));
        output.WriteLine($"{victim} killed after epoch {epoch} (seed {seed})");
        var watch = Stopwatch.StartNew();
        if (victim == Victim.All) await cluster.StartAsync(2);
        var next = await cluster.NextStepAsync(id);
        var start = victim == Victim.All ? $", of which the new silos took {(watch.Elapsed - next).TotalSeconds:0.0} s to start" : "";
        output.WriteLine($"from the kill to the next checkpoint: {watch.Elapsed.TotalSeconds:0.0} s{start}");

        await AssertDoneAsync(cluster, id, plain);
    }

    /// <summary>Data-parallel fine-tuning goes on from the last epoch, wherever its coordinator and its shards were.</summary>
    [Theory]
    [InlineData(Victim.Coordinator)]
    [InlineData(Victim.Shard)]
    public async Task Killed_while_fine_tuning_over_shards_it_ends_with_the_same_bytes(Victim victim)
    {
        var plain = await PlainRun.OutputsAsync(Specifications.Tuned.Yaml);
        await using var cluster = await new TestCluster(azurite).StartAsync(3);
        var id = await cluster.SubmitAsync(Specifications.Tuned.Yaml);
        var coordinator = cluster.Silo(await cluster.AtEpochAsync(id, "fine-tune", 2));
        await (victim == Victim.Coordinator ? coordinator : cluster.Silos.First(silo => silo != coordinator)).KillAsync();
        await AssertDoneAsync(cluster, id, plain);
    }

    [Theory]
    [InlineData("before:artefacts", 12)]
    [InlineData("after:artefacts", 12)]
    [InlineData("before:stages", 8)]
    [InlineData("after:stages", 8)]
    [InlineData("before:checkpoints", 8)]
    [InlineData("after:checkpoints", 8)]
    [InlineData("before:pointer", 8)]
    [InlineData("after:pointer", 8)]
    [InlineData("before:sweeps", 3)]
    [InlineData("after:sweeps", 3)]
    public async Task Killed_around_a_write_it_ends_with_the_same_bytes(string point, int upTo)
    {
        var plain = await PlainRun.OutputsAsync(Specifications.Tiny.Yaml);
        var seed = Environment.TickCount;
        var number = new Random(seed).Next(1, upTo + 1);
        await using var cluster = new TestCluster(azurite);
        var faulty = await cluster.StartFaultyAsync($"{point}:{number}"); // alone, so that every write is its own
        var submitting = cluster.SubmitAsync(Specifications.Tiny.Yaml); // may see the silo die, and is repeated
        await faulty.ExitAsync(Deadline);
        output.WriteLine($"killed {point} number {number} (seed {seed})");
        await cluster.StartAsync(1);
        await AssertDoneAsync(cluster, await submitting, plain);
    }

    private static async Task AssertDoneAsync(TestCluster cluster, string id, SortedDictionary<string, string> plain)
    {
        var status = await cluster.EndAsync(id, Deadline);
        Assert.True(status.State == WorkState.Done, TestCluster.Describe(status));
        Assert.All(status.Trials, trial => Assert.True(trial.State == WorkState.Done, TestCluster.Describe(status)));
        Assert.Equal(plain, await cluster.OutputsAsync());
        var check = await StoreMaintenance.VerifyAsync(await cluster.StoreAsync(), TestContext.Current.CancellationToken);
        Assert.Empty(check.Damaged);
    }
}
