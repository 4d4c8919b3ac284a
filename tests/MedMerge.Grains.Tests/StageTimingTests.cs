using MedMerge.Grains.Hosting;
using MedMerge.Storage;
using MedMerge.Testing;

namespace MedMerge.Grains.Tests;

/// <summary>The store knows how long every stage took, those that are spread over shards too.</summary>
public sealed class StageTimingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-timing-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Every_stage_of_a_sweep_has_its_seconds()
    {
        var objects = new FolderObjectStore(_folder);
        var specification = new SpecificationBuilder
        {
            Methods = "[medmerge]",
            KernelWeights = "{ epochs: 1, batchSize: 8, shards: 2 }",
        };
        await using var cluster = await LocalCluster.StartAsync(objects, TestDevice.Name, log: false, Cancellation);
        var sweep = await LocalSweep.StartAsync(cluster, objects, specification);
        var status = await sweep.StatusAsync(-1);
        while (status.State == WorkState.Running)
            status = await sweep.StatusAsync(status.Version).WaitAsync(TimeSpan.FromMinutes(5), Cancellation);

        Assert.Equal(WorkState.Done, status.State);
        var store = new StageStore(objects);
        var stages = specification.BuildPlan().Stages;
        Assert.Contains(stages, stage => stage.HasCoordinator);
        foreach (var stage in stages)
        {
            var timing = await store.FindTimingAsync(stage.Key, Cancellation);
            Assert.True(timing is { IsResumed: false, Nodes: 1, Device.Length: > 0 }, stage.Name);
            Assert.True(timing.Seconds > 0 || !stage.HasEpochs, stage.Name);
        }
    }
}
