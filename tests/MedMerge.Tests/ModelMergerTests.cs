using System.Text.RegularExpressions;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Testing;
using MedMerge.Tests.Data;
using MedMerge.Tests.Models;
using MedMerge.Training;

namespace MedMerge.Tests;

public sealed partial class ModelMergerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-merger-").FullName;
    private readonly MergeInputs _inputs;

    public ModelMergerTests() => _inputs = new MergeInputs
    {
        Architecture = "resnet20",
        Sources = [WriteSource("photographs", seed: 1), WriteSource("chest", seed: 2)],
        Data = NpzFile.Write(_folder, train: 24, validation: 8, test: 4),
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_documented_example_merges_and_its_kernel_weights_give_the_same_bytes_again()
    {
        var (photographs, chest) = (_inputs.Sources[0].Path, _inputs.Sources[1].Path);
        await LibraryExample.LearnAsync(photographs, chest, _inputs.Data, _folder);
        await LibraryExample.ApplyAsync(photographs, chest, _folder);

        var merged = await File.ReadAllBytesAsync(Path.Combine(_folder, "merged.safetensors"), Cancellation);
        Assert.Equal(merged, await File.ReadAllBytesAsync(Path.Combine(_folder, "again.safetensors"), Cancellation));
        using var file = ModelFile.Read(merged, "a file");
        Assert.Contains("resnet20", ModelImport.Recognise(file).Select(found => found.Architecture.Title));
    }

    [Fact]
    public async Task Given_kernel_weights_are_merged_and_certified()
    {
        var merged = await LibraryExample.MergeAsync(_inputs);

        Assert.Equal(0.9, merged.KernelWeights[0, 3, 5]);
        Assert.Equal(0.5, merged.KernelWeights[1, 3, 4]);
        Assert.True(merged.Certificate!.Holds);
        Assert.Empty(merged.History);
    }

    [Fact]
    public async Task Learning_gives_the_bytes_of_a_run()
    {
        var settings = new KernelWeightSettings { Epochs = 2, BatchSize = 8, Shards = 2 };
        var epochs = new List<EpochRecord>();
        await using var merger = new ModelMerger(TestDevice.Name, threads: 1);

        var merged = await merger.LearnAsync(_inputs, settings, anchor: 1, seed: 5, epochs.Add, Cancellation);

        var specification = SpecificationReader.Read($$"""
            target: { data: '{{_inputs.Data}}' }
            architecture: resnet20
            sources:
              - { name: photographs, weights: '{{_inputs.Sources[0].Path}}' }
              - { name: chest, weights: '{{_inputs.Sources[1].Path}}' }
            anchor: chest
            methods: [medmerge]
            seeds: [5]
            threads: 1
            kernelWeights: { epochs: 2, batchSize: 8, shards: 2 }
            fineTune: { epochs: 0, batchSize: 8 }
            """, "test.yaml", []);
        var merge = Plan.Build(specification).Trials.Single().FindOutput(OutputRole.MergedModel)!.Stage;
        await using var device = new DeviceThread(TestDevice.Name, 1);
        var runner = new StageRunner(
            new MemoryStageStore(), device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));
        var expected = await runner.OutputAsync(merge, (_, _) => { }, Cancellation);

        Assert.Equal(expected[StageFiles.Model], merged.Model.ToArray());
        Assert.Equal(expected[StageFiles.KernelWeights], merged.KernelWeightFile.ToArray());
        Assert.Equal(expected[StageFiles.Certificate], StageFiles.Write(merged.Certificate));
        Assert.Equal([0, 1, 2], merged.History.Select(epoch => epoch.Epoch));
        Assert.Equal(epochs, merged.History);
    }

    [Fact]
    public async Task What_cannot_be_merged_is_refused_in_words()
    {
        await using var merger = new ModelMerger(TestDevice.Name, threads: 1);
        Task<InputException> Refused(MergeInputs inputs) =>
            Assert.ThrowsAsync<InputException>(() => merger.LearnAsync(inputs, cancellation: Cancellation));

        var one = await Refused(_inputs with { Sources = [_inputs.Sources[0]] });
        Assert.Equal("Merging needs at least 2 sources; there are 1.", one.Message);

        var same = await Refused(_inputs with { Sources = [_inputs.Sources[0], _inputs.Sources[0] with { Name = "copy" }] });
        Assert.StartsWith("The sources 'photographs' and 'copy' are the same model.", same.Message, StringComparison.Ordinal);

        var twins = await Refused(_inputs with { Sources = [_inputs.Sources[0], _inputs.Sources[1] with { Name = "photographs" }] });
        Assert.Equal("Two sources are named 'photographs'.", twins.Message);

        var width = await Refused(_inputs with { Width = 0.5 });
        Assert.Contains("is not a resnet20 (width 0.5)", width.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kernel_weights_that_are_no_shares_or_for_other_sources_are_refused()
    {
        await using var merger = new ModelMerger(TestDevice.Name, threads: 1);
        var weights = KernelWeightMatrix.Uniform("resnet20", sources: 2);
        weights[0, 0, 0] = 0.7;
        await Assert.ThrowsAsync<ArgumentException>(() => merger.MergeAsync(_inputs, weights, Cancellation));
        var three = KernelWeightMatrix.Uniform("resnet20", sources: 3);
        await Assert.ThrowsAsync<ArgumentException>(() => merger.MergeAsync(_inputs, three, Cancellation));
    }

    [Fact]
    public async Task Applying_names_a_source_that_is_missing_or_another()
    {
        await using var merger = new ModelMerger(TestDevice.Name, threads: 1);
        var merged = await merger.MergeAsync(_inputs, KernelWeightMatrix.Uniform("resnet20", sources: 2), Cancellation);
        var path = Path.Combine(_folder, "kernel-weights.safetensors");
        await merged.SaveKernelWeightsAsync(path, Cancellation);
        var (first, second) = (_inputs.Sources[0], _inputs.Sources[1]);
        async Task<string> RefusedAsync(params SourceFile[] sources) =>
            (await Assert.ThrowsAsync<InputException>(() => merger.ApplyAsync(path, sources, Cancellation))).Message;

        Assert.Contains("need the source 'chest'", await RefusedAsync(first), StringComparison.Ordinal);
        Assert.Contains("is not the source 'chest'", await RefusedAsync(first, first with { Name = "chest" }), StringComparison.Ordinal);
        Assert.Contains("There is no source 'x'", await RefusedAsync(first, second, first with { Name = "x" }), StringComparison.Ordinal);
    }

    [Fact]
    public void The_code_in_the_documentation_is_the_code_that_is_tested()
    {
        var example = Repository.Read("tests/MedMerge.Tests/LibraryExample.cs");
        var page = Repository.Read("docs/library.md");

        var tested = Regions().Matches(example).Select(match => Outdent(match.Groups[1].Value));
        var documented = CodeBlocks().Matches(page).Select(match => match.Groups[1].Value);
        Assert.Equal(tested, documented);
    }

    private static string Outdent(string code) =>
        string.Concat(code.Split('\n').Select(line => (line.Length > 8 ? line[8..] : line) + "\n"));

    private SourceFile WriteSource(string name, ulong seed)
    {
        var architecture = Architectures.Create("resnet20");
        using var model = RandomModels.Weights(architecture, seed, classes: 3);
        var path = Path.Combine(_folder, $"{name}.safetensors");
        File.WriteAllBytes(path, Safetensors.Write(model));
        return new SourceFile(name, path);
    }

    [GeneratedRegex(@"#region \w+\n(.*?)\s+#endregion", RegexOptions.Singleline)]
    private static partial Regex Regions();

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlocks();
}
