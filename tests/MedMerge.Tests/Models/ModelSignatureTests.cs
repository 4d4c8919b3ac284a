using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Experiments.Stages;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Tests.Models;

public class ModelSignatureTests
{
    private static readonly Architecture Network = MedMerge.Models.Architectures.Create("resnet20", 0.125);

    [Fact]
    public void A_model_s_metadata_name_normalisation_input_size_and_classes()
    {
        var dataset = WithNames(["healthy", "Pneumonie, ältere"]);

        var metadata = ModelMetadata.Of(Network, ModelSignature.Of(dataset));

        var (mean, deviation) = dataset.Normalisation;
        Assert.Equal(FormattableString.Invariant($"[{mean[0]},{mean[0]},{mean[0]}]"), metadata["mean"]);
        Assert.Equal(FormattableString.Invariant($"[{deviation[0]},{deviation[0]},{deviation[0]}]"), metadata["std"]);
        Assert.Equal("[3,28,28]", metadata["input_size"]);
        Assert.Equal("""["healthy","Pneumonie, ältere"]""", metadata["class_names"]);
    }

    [Fact]
    public void What_an_exported_model_says_is_read_again_bit_for_bit()
    {
        var written = ModelSignature.Of(WithNames(["a", "b"]));
        using var model = RandomModels.Weights(Network, 3, classes: 2);
        using var file = ModelFile.Read(Safetensors.Write(model, ModelMetadata.Of(Network, written)), "a file");

        var read = ModelSignature.Read(file.Metadata)!;

        Assert.Equal(written.Normalisation.Mean, read.Normalisation.Mean);
        Assert.Equal(written.Normalisation.Deviation, read.Normalisation.Deviation);
        Assert.Equal((28, 28), (read.Height, read.Width));
        Assert.Equal(["a", "b"], read.ClassNames);
    }

    [Fact]
    public void A_file_that_names_only_its_normalisation_has_no_size_and_no_classes()
    {
        var read = ModelSignature.Read(new Dictionary<string, string> { ["mean"] = "[0.5, 0.4, 0.3]", ["std"] = "[0.2, 0.2, 0.2]" })!;

        Assert.Equal([0.5, 0.4, 0.3], read.Normalisation.Mean);
        Assert.Null(read.Height);
        Assert.Empty(read.ClassNames);
    }

    [Theory]
    [InlineData("0.5", "[0.2,0.2,0.2]")]
    [InlineData("[0.5,0.5]", "[0.2,0.2]")]
    [InlineData("[0.5,0.5,0.5]", "[0.2,0.2,0]")]
    [InlineData("[0.5,0.5,0.5]", "[0.2,0.2,-1]")]
    [InlineData("[0.5,0.5,1e999]", "[0.2,0.2,0.2]")]
    [InlineData("null", "null")]
    [InlineData("whatever", "[0.2,0.2,0.2]")]
    public void Keys_of_other_programs_are_no_signature(string mean, string deviation) =>
        Assert.Null(ModelSignature.Read(new Dictionary<string, string> { ["mean"] = mean, ["std"] = deviation }));

    [Fact]
    public async Task An_imported_source_carries_what_its_file_says()
    {
        var signature = ModelSignature.Of(WithNames([]));
        using var model = RandomModels.Weights(Network, 3, classes: 2);
        var file = Safetensors.Write(model, ModelMetadata.Of(Network, signature));
        var stage = new ImportStage("a.safetensors", Prefix: null, ContentHash.Of(file), Network);
        await using var device = new DeviceThread("cpu", threads: 1);
        var runner = new StageRunner(new MemoryStageStore(), device, (_, _, _) => Task.FromResult(file));

        var output = await runner.OutputAsync(stage, (_, _) => { }, TestContext.Current.CancellationToken);

        var source = StageFiles.Read<SourceInfo>(output, StageFiles.Source);
        Assert.Equal(signature.Normalisation.Mean, source.Signature!.Normalisation.Mean);
        using var imported = ModelFile.Read(output[StageFiles.Model], "it");
        Assert.Equivalent(ModelMetadata.Of(Network, signature), imported.Metadata, strict: true);
    }

    /// <summary>Exported models hold them, so a model of other names must not be taken from the store.</summary>
    [Fact]
    public void Stages_of_data_sets_that_name_their_classes_otherwise_are_told_apart()
    {
        string Recipe(string[] names) => new FineTuneStage(
            new UntrainedStage(Network, Classes: 2, Seed: 1, Index: 0),
            Head: null,
            KeepsHead: false,
            new FineTuneSettings(),
            new TargetContext(Network, WithNames(names), Threads: 1, "cpu"),
            Seed: 1).Recipe;
        Assert.NotEqual(Recipe(["a", "b"]), Recipe(["b", "a"]));
        Assert.NotEqual(Recipe(["a", "b"]), Recipe([]));
    }

    private static ImageDataset WithNames(string[] names)
    {
        var plain = Phantoms.Create("lesions", 28, train: 8, validation: 4, test: 4);
        return new ImageDataset(plain.Info with { ClassNames = names }, plain.Train, plain.Validation, plain.Test);
    }
}
