using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Hosting;
using MedMerge.Storage;
using MedMerge.Tensors;

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
        var specification = SpecificationReader.Read("""
            name: parts
            target: { data: 'phantom:lesions', trainImages: 24 }
            architecture: resnet20
            sources:
              - name: a
                pretrain: { data: 'phantom:opacities', trainImages: 24, epochs: 1 }
              - name: b
                pretrain: { data: 'phantom:vessels', trainImages: 24, epochs: 1 }
            methods: [scratch]
            threads: 1
            kernelWeights: { epochs: 0, batchSize: 8 }
            fineTune: { epochs: 0, batchSize: 12, shards: 3 }
            """, "it", []);
        var plan = Plan.Build(specification);
        var tune = (FineTuneStage)plan.Trials[0].FindOutput(OutputRole.Model)!.Stage;
        Assert.True(tune.HasCoordinator);

        var alone = new StageStore(new FolderObjectStore(Path.Combine(_folder, "alone")));
        await using var device = new DeviceThread("cpu", 1);
        var runner = new StageRunner(alone, device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));
        var expected = await runner.OutputAsync(tune, (_, _) => { }, cancellation);
        using (var model = Safetensors.Read(expected[StageFiles.Model], "it").Tensors)
            Assert.True(new Training.ParameterLayout(model).Length * sizeof(float) > PackedNumbers.MaxBytes, "It takes one message only.");

        var objects = new FolderObjectStore(Path.Combine(_folder, "cluster"));
        var submission = await Submission.WriteAsync(
            specification, PlanSummary.Of(plan), InputFile.Read, new ArtefactStore(objects), cancellation);
        await using var cluster = await LocalCluster.StartAsync(objects, "cpu", log: false, cancellation);
        var sweep = cluster.Grains.GetGrain<ISweepGrain>(submission.Id);
        await sweep.StartAsync(new StartSweep(submission.Name, submission.Specification, submission.Plan, []));
        for (var seen = -1L; ;)
        {
            var status = await sweep.StatusAsync(seen);
            if (status.HasEnded)
            {
                Assert.Equal(1, status.Done);
                break;
            }
            seen = status.Version;
        }
        Assert.Equal(expected[StageFiles.Model], (await new StageStore(objects).FindAsync(tune.Key, cancellation))![StageFiles.Model]);
    }
}
