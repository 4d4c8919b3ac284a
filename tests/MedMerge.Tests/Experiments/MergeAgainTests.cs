using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Testing;
using MedMerge.Tests.Models;

namespace MedMerge.Tests.Experiments;

/// <summary>Whatever the settings: a run's kernel weights, applied to the source files again, give its merged model to the byte.</summary>
public sealed class MergeAgainTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-again-").FullName;

    public static TheoryData<string, string> Settings => new()
    {
        { "granularity: model", "" },
        { "granularity: kernel2d", "" },
        { "granularity: kernel2d", "rescaling: repair" },
        { "granularity: filter", "rescaling: repair\nalignment: activations" },
        { "parameterisation: clamped", "layersFrom: 'conv1=a, layer3=b'" },
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Settings))]
    public async Task The_file_of_kernel_weights_gives_the_merged_model_to_the_byte(string kernelWeights, string more)
    {
        var merge = BuildPlan(kernelWeights, more).Trials.Single().FindOutput(OutputRole.MergedModel)!.Stage;
        await using var device = new DeviceThread(TestDevice.Name, 1);
        var store = new MemoryStageStore();
        var runner = new StageRunner(store, device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));

        var merged = await runner.OutputAsync(merge, (_, _) => { }, Cancellation);

        var file = merged[StageFiles.KernelWeights];
        using (var learned = LearnedKernelWeights.Read(file, "it")) Assert.Equal(file, learned.Write());
        var path = Path.Combine(_folder, "kernel-weights.safetensors");
        await File.WriteAllBytesAsync(path, file, Cancellation);
        await using var merger = new ModelMerger(TestDevice.Name, threads: 1);
        var again = await merger.ApplyAsync(path, [new("a", PathTo("a")), new("b", PathTo("b"))], Cancellation);
        Assert.Equal(merged[StageFiles.Model], again.Model.ToArray());
    }

    private string PathTo(string source) => Path.Combine(_folder, source + ".safetensors");

    private Plan BuildPlan(string kernelWeights, string more)
    {
        foreach (var (name, seed) in new[] { ("a", 1UL), ("b", 2UL) })
        {
            using var weights = RandomModels.Weights(Architectures.Create("resnet20", 0.25), seed, classes: 3);
            File.WriteAllBytes(PathTo(name), Safetensors.Write(weights));
        }
        return Plan.Build(SpecificationReader.Read(
            $$"""
            target: { data: 'phantom:lesions', trainImages: 24 }
            architecture: resnet20
            width: 0.25
            sources:
              - { name: a, weights: a.safetensors }
              - { name: b, weights: b.safetensors }
            kernelWeights: { epochs: 1, batchSize: 8, {{kernelWeights}} }
            methods: [medmerge]
            learningRateTries: 1
            seeds: 1
            threads: 1
            {{more}}
            """,
            "test.yaml",
            [_folder]));
    }
}
