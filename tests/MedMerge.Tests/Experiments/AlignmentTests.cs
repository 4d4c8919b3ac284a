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

/// <summary>The setting <c>alignment</c>, from the specification to the file of kernel weights.</summary>
public sealed class AlignmentTests : IDisposable
{
    private static readonly string[] Merging =
        ["medmerge", "average", "aligned-average", "untrained-partner", "scrambled-partner", "jittered-partner"];

    private readonly WeightFilePlan _files = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData("weights")]
    [InlineData("activations")]
    public void Partners_are_aligned_to_the_anchor_and_single_models_are_not(string alignment)
    {
        var plan = _files.Build($"alignment: {alignment}\nanchor: b");
        foreach (var trial in plan.Trials)
        {
            var expected = trial.Method.Method.Name switch
            {
                "jittered-partner" => 2, // the partner, for its distance, and what replaces it
                var name => Merging.Contains(name) ? 1 : 0,
            };
            Assert.Equal(expected, trial.Stages.OfType<AlignStage>().Select(stage => stage.Key).Distinct().Count());
        }
        var anchor = plan.Scenarios[0].Sources[1].Stage;
        foreach (var stage in plan.Stages.OfType<AlignStage>())
        {
            Assert.Equal([anchor.Key], stage.Candidates.Single().Inputs.Select(model => model.Key));
            Assert.NotEqual(stage.Source.Key, stage.Candidates[0].Key);
        }
    }

    [Fact]
    public void Without_the_setting_only_the_average_of_aligned_sources_is_aligned()
    {
        var aligned = _files.Build("").Trials.Where(trial => trial.Stages.OfType<AlignStage>().Any());
        Assert.Equal(["aligned-average"], aligned.Select(trial => trial.Method.Method.Name));
        // It is what the plain average is with the setting.
        var average = Find(_files.Build("alignment: activations"), "average");
        var alignedAverage = Find(_files.Build(""), "aligned-average");
        Assert.Equal(average.Predictions.Key, alignedAverage.Predictions.Key);

        static Trial Find(Plan plan, string method) => plan.Trials.Single(trial => trial.Method.Method.Name == method);
    }

    [Theory]
    [InlineData("weights")]
    [InlineData("activations")]
    public async Task The_file_of_kernel_weights_merges_the_source_files_again_to_the_same_bytes(string alignment)
    {
        var merge = _files.Build($"alignment: {alignment}\nmethods: [medmerge]\nanchor: b").Trials.Single()
            .FindOutput(OutputRole.MergedModel)!.Stage;
        await using var device = new DeviceThread(TestDevice.Name, 1);
        var store = new MemoryStageStore();
        var runner = new StageRunner(store, device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));

        var merged = await runner.OutputAsync(merge, (_, _) => { }, Cancellation);

        var file = merged[StageFiles.KernelWeights];
        var learned = LearnedKernelWeights.Read(file, "it");
        Assert.NotNull(learned.Sources[0].Order);
        Assert.Null(learned.Sources[1].Order);
        Assert.Equal(file, learned.Write());
        var align = merge.Inputs.OfType<AlignStage>().Single();
        var output = await store.GetAsync(align.Key, Cancellation);
        Assert.Equal(AlignStage.ReadOrder(output, learned.Architecture)!.Orders, learned.Sources[0].Order!.Orders);
        var path = Path.Combine(_files.Folder, "kernel-weights.safetensors");
        await File.WriteAllBytesAsync(path, file, Cancellation);
        await using var merger = new ModelMerger(TestDevice.Name, threads: 1);
        var again = await merger.ApplyAsync(path, [new("a", _files.PathTo("a")), new("b", _files.PathTo("b"))], Cancellation);
        Assert.Equal(merged[StageFiles.Model], again.Model.ToArray());
    }
}
