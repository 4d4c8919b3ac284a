using MedMerge.Data;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Tests.Models;

namespace MedMerge.Tests.Experiments;

/// <summary>Errors that show only when data sets and weight files are loaded.</summary>
public sealed class LoadingErrorTests : IDisposable
{
    private const string Settings = """
        kernelWeights: { batchSize: 8 }
        fineTune: { batchSize: 8 }

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-lines-").FullName;

    public LoadingErrorTests()
    {
        foreach (var name in new[] { "broken.npz", "broken.safetensors", "other.npz" }) File.WriteAllText(GetPath(name), "no such file");
        using var weights = RandomModels.Weights(Architectures.Create("resnet20", 0.125), seed: 1, classes: 3);
        foreach (var name in new[] { "good", "copy" }) File.WriteAllBytes(GetPath(name + ".safetensors"), Safetensors.Write(weights));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void All_of_them_are_reported_at_once_each_with_the_line_that_names_the_file()
    {
        var message = Fail("""
            targets:
              - { name: a, data: broken.npz }
              - name: b
                data: 'phantom:lesions'
                trainImages: 1000000
            architecture: resnet20
            width: 0.125
            sources:
              - { name: good, weights: good.safetensors }
              - name: broken
                weights: broken.safetensors
              - name: copy
                weights: copy.safetensors
              - name: trained
                pretrain:
                  epochs: 1
                  data: other.npz
              - name: further
                from: trained
                pretrain: { data: 'phantom:cells' }
            sourceSets: pairs

            """ + Settings);

        var lines = message.Split('\n');
        Assert.Equal("test.yaml has 5 errors:", lines[0]);
        string[] starts =
        [
            "  line 2: ",
            "  line 4: trainImages is 1000000",
            "  line 11: ",
            "  line 13: The sources 'good' and 'copy'",
            "  line 17: ",
        ];
        Assert.Equal(starts.Length, lines.Length - 1); // what is trained on from a source that failed is no error of its own
        Assert.All(starts.Zip(lines.Skip(1)), pair => Assert.StartsWith(pair.First, pair.Second, StringComparison.Ordinal));
        Assert.Contains("broken.npz", lines[1], StringComparison.Ordinal);
        Assert.Contains("broken.safetensors", lines[3], StringComparison.Ordinal);
        Assert.Contains("other.npz", lines[5], StringComparison.Ordinal);
    }

    /// <summary>Who writes a long specification is not sent round once for the text, and once more for the files.</summary>
    [Fact]
    public void They_are_reported_together_with_the_errors_of_the_text()
    {
        var message = Fail("""
            targets:
              - { name: a, data: broken.npz }
              - { name: b, data: missing.npz }
              - { name: c, data: 'phantom:nothing' }
            architecture: resnet20
            width: 0.125
            sources:
              - { name: good, weights: good.safetensors, colour: red }
              - { name: broken, weights: broken.safetensors }
              - { name: missing, weights: missing.safetensors }
              - name: round
                from: circle
                pretrain: { data: other.npz }
              - name: circle
                from: round
                pretrain: { data: 'phantom:cells', batchSize: 0 }
              - { name: empty }
              - { name: copy, weights: copy.safetensors }
            fineTune: { epochs: -1 }

            """);

        string[] starts =
        [
            "test.yaml has 13 errors:",
            "  line 2: ", // read
            "  line 3: ",
            "  line 4: ",
            "  line 8: ",
            "  line 9: ", // read
            "  line 10: ",
            "  line 11: the source 'round' is trained on from itself",
            "  line 13: ", // read
            "  line 14: the source 'circle' is trained on from itself",
            "  line 16: ",
            "  line 17: ",
            "  line 18: The sources 'good' and 'copy'", // read
            "  line 19: ",
        ];
        var lines = message.Split('\n');
        Assert.All(starts.Zip(lines), pair => Assert.StartsWith(pair.First, pair.Second, StringComparison.Ordinal));
    }

    [Fact]
    public void Weight_files_are_not_held_against_an_architecture_that_there_is_not()
    {
        var message = Fail("""
            target: { data: broken.npz }
            architecture: resnet2000
            sources:
              - { name: good, weights: good.safetensors }
              - { name: trained, pretrain: { data: other.npz } }

            """);

        Assert.StartsWith("test.yaml has 3 errors:\n  line 1: ", message, StringComparison.Ordinal);
        Assert.Contains("\n  line 2: ", message, StringComparison.Ordinal);
        Assert.Contains("\n  line 5: ", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("layersFrom", "none", "conv1=best", "'layersFrom': there is no source 'best'")]
    [InlineData("layersFrom", "none", "stem=good", "'layersFrom': a resnet20 (width 0.125) has no layer 'stem'; it has conv1, ")]
    [InlineData("select", "merged", "best", "'select' is 'best', which keeps the best single source's model")]
    public void Settings_that_name_layers_sources_or_methods_are_reported_at_their_line(
        string path,
        string valid,
        string value,
        string expected)
    {
        const string Start = """
            target: { data: 'phantom:lesions', trainImages: 24 }
            architecture: resnet20
            width: 0.125
            sources:
              - { name: good, weights: good.safetensors }
              - { name: trained, pretrain: { data: 'phantom:cells', trainImages: 16 } }
            methods: [medmerge]

            """;
        var set = Fail($"{Start}{path}: {value}\n");
        Assert.StartsWith($"test.yaml has 1 error:\n  line 8: {expected}", set, StringComparison.Ordinal);
        var varied = Fail($"{Start}vary:\n  {path}: ['{valid}', '{value}']\n");
        Assert.StartsWith("test.yaml has 1 error:\n  line 9: scenario '", varied, StringComparison.Ordinal);
        Assert.Contains(expected, varied, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_that_do_not_fit_the_data_are_reported_where_the_data_are_named()
    {
        var message = Fail("""
            target:
              data: 'phantom:lesions'
              trainImages: 24
            architecture: resnet20
            width: 0.125
            sources:
              - { name: good, weights: good.safetensors }
              - name: trained
                pretrain:
                  data: 'phantom:cells'
                  trainImages: 16
                  batchSize: 64
                  shards: 32
            kernelWeights: { batchSize: 50, shards: 25 }
            fineTune: { batchSize: 8 }

            """);

        Assert.Contains("  line 2: shards is 25; with 24 training images", message, StringComparison.Ordinal);
        Assert.Contains("  line 10: fine-tuning's shards is 32, its batchSize 64, with 16", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_many_trials_are_reported_where_they_are_multiplied()
    {
        var message = Fail("""
            target: { data: 'phantom:lesions' }
            architecture: resnet20
            width: 0.125
            sources:
              - { name: good, weights: good.safetensors }
              - { name: trained, pretrain: { data: 'phantom:cells', trainImages: 16 } }
            methods: [medmerge]
            seeds: 600
            vary:
              fineTune.epochs: [1, 2, 3, 4, 5]
              kernelWeights.epochs: [1, 2, 3, 4]

            """);

        const string expected = "test.yaml has 1 error:\n  line 9: the specification unfolds to 12000 trials; at most 10000 are allowed";
        Assert.Equal(expected, message);
    }

    [Fact]
    public void A_file_that_failed_is_read_once_whatever_the_number_of_scenarios()
    {
        var specification = Read("""
            target: { data: broken.npz }
            architecture: resnet20
            width: 0.125
            sources:
              - { name: good, weights: good.safetensors }
              - { name: broken, weights: broken.safetensors }
            vary: { fineTune.epochs: [1, 2, 3] }

            """);
        var reads = new List<string>();

        var error = Assert.Throws<InputException>(() => Plan.Build(specification, (location, kind) =>
        {
            reads.Add(Path.GetFileName(location));
            return InputFile.Read(location, kind);
        }));

        Assert.Equal(["broken.npz", "good.safetensors", "broken.safetensors"], reads);
        Assert.StartsWith("test.yaml has 2 errors:\n  line 1: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_frozen_specification_has_no_lines()
    {
        var specification = Read("""
            target: { data: broken.npz }
            architecture: resnet20
            width: 0.125
            sources:
              - { name: good, weights: good.safetensors }
              - { name: copy, weights: copy.safetensors }

            """);
        var copy = FrozenSpecification.Read(FrozenSpecification.Write(specification));

        var error = Assert.Throws<InputException>(() => Plan.Build(copy));

        Assert.DoesNotContain("line ", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, error.Message.Split('\n').Length);
        Assert.Contains("\nThe sources 'good' and 'copy' are the same model", error.Message, StringComparison.Ordinal);
    }

    private string GetPath(string name) => Path.Combine(_folder, name);

    private Specification Read(string yaml) =>
        ScenarioLoader.Read(() => SpecificationReader.Read(yaml, "test.yaml", [_folder]), InputFile.Read);

    private string Fail(string yaml) => Assert.Throws<InputException>(() => Plan.Build(Read(yaml))).Message;
}
