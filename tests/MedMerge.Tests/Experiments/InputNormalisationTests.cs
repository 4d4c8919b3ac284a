using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Models;
using MedMerge.Storage;
using MedMerge.Tensors;
using MedMerge.Testing;
using MedMerge.Tests.Models;
using static TorchSharp.torch;

namespace MedMerge.Tests.Experiments;

/// <summary>The setting <c>inputNormalisation</c>, from the specification to what a source computes.</summary>
public class InputNormalisationTests
{
    private const int FirstLayerEdge = 1;

    [Fact]
    public void Sources_are_adapted_only_where_their_own_normalisation_is_asked_for()
    {
        Assert.All(Plan("target").Sources, source => Assert.IsNotType<AdaptInputStage>(source.Stage));
        Assert.All(Plan("source").Sources, source => Assert.IsType<AdaptInputStage>(source.Stage));
    }

    /// <summary>In the first layer and away from its edge, where padding is zeros before as after.</summary>
    [Fact]
    public async Task An_adapted_source_computes_on_the_targets_input_what_it_did_on_its_own()
    {
        var scenario = Plan("source");
        var adapted = (AdaptInputStage)scenario.Sources[0].Stage;
        await using var device = new DeviceThread(TestDevice.Name, 1);
        var runner = new StageRunner(
            new MemoryStageStore(), device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));
        var before = await runner.OutputAsync(adapted.Source, (_, _) => { }, TestContext.Current.CancellationToken);
        var after = await runner.OutputAsync(adapted, (_, _) => { }, TestContext.Current.CancellationToken);
        using var scope = NewDisposeScope();
        using var source = StageFiles.ReadTensors(before, StageFiles.Model);
        using var result = StageFiles.ReadTensors(after, StageFiles.Model);
        var own = InputNormalisation.Of(Phantoms.Create("opacities", train: new SpecificationBuilder().SourceImages));
        var target = adapted.To;
        Assert.NotEqual(own.Mean[0], target.Mean[0], 0.01);

        var images = rand(2, 3, 28, 28);
        var expected = Apply(source, Normalise(images, own));
        var difference = (expected - Apply(result, Normalise(images, target))).abs().max().item<float>();
        Assert.True(difference < 1e-5 * expected.abs().max().item<float>(), $"{difference}");

        Tensor Apply(StateDict weights, Tensor input)
        {
            var output = scenario.Architecture.Layers[0].Apply(input, name => weights[name], training: false);
            var inner = output.shape[2] - (2 * FirstLayerEdge);
            return output.narrow(2, FirstLayerEdge, inner).narrow(3, FirstLayerEdge, inner);
        }
    }

    private static Scenario Plan(string input) =>
        MedMerge.Experiments.Planning.Plan.Build(SpecificationReader.Read(
            new SpecificationBuilder { Methods = "[medmerge]" }.Yaml + $"\ninputNormalisation: {input}\n", "test.yaml", [])).Scenarios[0];

    private static Tensor Normalise(Tensor images, InputNormalisation input) =>
        InputAdaptationTests.Normalise(images, input).to(ScalarType.Float32);
}
