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
    private readonly WeightFilePlan _files = new();

    public static TheoryData<string, string> Settings => new()
    {
        { "granularity: model", "" },
        { "granularity: kernel2d", "" },
        { "granularity: kernel2d", "rescaling: repair" },
        { "granularity: filter", "rescaling: repair\nalignment: activations" },
        { "parameterisation: clamped", "layersFrom: 'conv1=a, layer3=b'" },
        { "granularity: filter", "batchNorm: mix" },
        { "granularity: kernel2d", "batchNorm: mix\nalignment: weights" },
        { "granularity: layer", "batchNorm: mix\nalignment: activations\nanchor: best-probe" },
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _files.Dispose();

    [Theory]
    [MemberData(nameof(Settings))]
    public async Task The_file_of_kernel_weights_gives_the_merged_model_to_the_byte(string kernelWeights, string more)
    {
        var merge = _files.Build($"methods: [medmerge]\n{more}", kernelWeights).Trials.Single().FindOutput(OutputRole.MergedModel)!.Stage;
        await using var device = new DeviceThread(TestDevice.Name, 1);
        var store = new MemoryStageStore();
        var runner = new StageRunner(store, device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));

        var merged = await runner.OutputAsync(merge, (_, _) => { }, Cancellation);

        var file = merged[StageFiles.KernelWeights];
        Assert.Equal(file, LearnedKernelWeights.Read(file, "it").Write());
        var path = Path.Combine(_files.Folder, "kernel-weights.safetensors");
        await File.WriteAllBytesAsync(path, file, Cancellation);
        await using var merger = new ModelMerger(TestDevice.Name, threads: 1);
        var again = await merger.ApplyAsync(path, [new("a", _files.PathTo("a")), new("b", _files.PathTo("b"))], Cancellation);
        Assert.Equal(merged[StageFiles.Model], again.Model.ToArray());
    }
}
