using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Hosting;
using MedMerge.Grains.Nodes;
using MedMerge.Storage;
using MedMerge.Tensors;
using MedMerge.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace MedMerge.Grains.Tests;

/// <summary>A shard whose device is slow.</summary>
public sealed class ShardGrainTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-shard-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Behind the step it would expire, and the device's memory would stay in use.</summary>
    [Fact]
    public async Task Closing_does_not_wait_for_a_running_step_which_frees_the_memory_when_it_ends()
    {
        var specification = new SpecificationBuilder
        {
            Methods = "[scratch]",
            KernelWeights = "{ epochs: 0, batchSize: 8 }",
            FineTune = "{ epochs: 0, batchSize: 12, shards: 3 }",
        };
        var objects = new FolderObjectStore(_folder);
        await using var cluster = await LocalCluster.StartAsync(objects, TestDevice.Name, log: false, Cancellation, lanes: 1);
        var sweep = await LocalSweep.StartAsync(cluster, objects, specification);
        var status = await sweep.StatusAsync(-1);
        while (!status.HasEnded) status = await sweep.StatusAsync(status.Version);
        var plan = specification.BuildPlan();
        var frozen = await Submission.WriteAsync(plan, PlanSummary.Of(plan), InputFile.Read, new ArtefactStore(objects), Cancellation);
        var key = plan.Trials[0].Stages.OfType<FineTuneStage>().First().Key;
        var request = new ShardRequest(frozen.Specification, Trial: 1, key, Shard: 0);
        var shard = cluster.Grains.GetGrain<IShardGrain>($"{DeviceName.Kind(plan.Specification.Settings.Device)}/{key}/0/100");
        var load = cluster.Services.GetRequiredService<NodeLoad>();
        await shard.OpenAsync(request).WaitAsync(Deadline, Cancellation);
        Assert.Equal(1, load.CountExcluding("none"));

        using var slow = new ManualResetEventSlim();
        var device = cluster.Services.GetRequiredService<Devices>().Borrow(1);
        var busy = device.RunAsync(() => slow.Wait(Deadline), CancellationToken.None);
        var step = shard.ValidateAsync(request, new StepPart(0, StepPart.Validation, PackedNumbers.Pack(new float[1], 0)));
        await shard.CloseAsync().WaitAsync(Deadline / 2, Cancellation);
        slow.Set();
        await busy;
        await Assert.ThrowsAnyAsync<Exception>(() => step); // one number is no model; it was running all the same

        Assert.True(SpinWait.SpinUntil(() => load.CountExcluding("none") == 0, Deadline));
    }
}
