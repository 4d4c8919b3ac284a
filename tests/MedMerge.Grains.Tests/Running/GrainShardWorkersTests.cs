using MedMerge.Experiments.Stages;
using MedMerge.Grains.Hosting;
using MedMerge.Storage;
using MedMerge.Tensors;
using MedMerge.Testing;

namespace MedMerge.Grains.Tests.Running;

/// <summary>
/// Data-parallel fine-tuning of a model that takes several messages gives through grains what one device gives alone.
/// </summary>
public sealed class GrainShardWorkersTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-parts-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Through_grains_and_in_parts_it_gives_the_bytes_of_one_device()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var specification = new SpecificationBuilder
        {
            Width = 1,
            Methods = "[scratch]",
            KernelWeights = "{ epochs: 0, batchSize: 8 }",
            FineTune = "{ epochs: 0, batchSize: 12, shards: 3 }",
        };
        var plan = specification.BuildPlan();
        var tune = plan.Trials[0].Stages.OfType<FineTuneStage>().First();
        Assert.True(tune.HasCoordinator);

        var alone = new StageStore(new FolderObjectStore(Path.Combine(_folder, "alone")));
        await using var device = new DeviceThread(TestDevice.Name, 1);
        var runner = new StageRunner(alone, device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));
        var expected = await runner.OutputAsync(tune, (_, _) => { }, cancellation);
        using (var model = Safetensors.Read(expected[StageFiles.Model], "a file").Tensors)
            Assert.True(new Training.ParameterLayout(model).Length * sizeof(float) > PackedNumbers.MaxBytes, "It takes one message only.");

        var objects = new FolderObjectStore(Path.Combine(_folder, "cluster"));
        await using var cluster = await LocalCluster.StartAsync(objects, TestDevice.Name, log: false, cancellation);
        var sweep = await LocalSweep.StartAsync(cluster, objects, specification);
        var status = await sweep.StatusAsync(-1);
        while (!status.HasEnded) status = await sweep.StatusAsync(status.Version);

        Assert.Equal(1, status.Counts.Done);
        var output = await new StageStore(objects).FindAsync(tune.Key, cancellation);
        Assert.Equal(expected[StageFiles.Model], output![StageFiles.Model]);
    }
}
