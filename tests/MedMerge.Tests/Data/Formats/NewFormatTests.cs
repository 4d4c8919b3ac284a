using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Testing;

namespace MedMerge.Tests.Data.Formats;

/// <summary>What a format that nothing else knows takes: a class, and a place among <see cref="DatasetFormats"/>.</summary>
public sealed class NewFormatTests : IDisposable
{
    private const string Yaml = """
        target: { data: chest/, trainImages: 6 }
        architecture: resnet20
        width: 0.125
        sources:
          - { name: a, pretrain: { data: 'phantom:lesions', trainImages: 24 } }
          - { name: b, pretrain: { data: chest/ } }
        methods: [medmerge]
        kernelWeights: { batchSize: 4 }
        fineTune: { batchSize: 4 }
        threads: 1
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-format-").FullName;

    public NewFormatTests() => ClassFolderFormat.Write(Path.Combine(_folder, "chest"), images: 4, "effusion", "healthy");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_folder_is_found_beside_the_specification_and_becomes_a_plan()
    {
        var plan = Plan.Build(Read(Yaml));

        var target = plan.Scenarios.Single().Target;
        Assert.Equal(["effusion", "healthy"], target.Info.ClassNames);
        Assert.Equal((6, 4, 4), (target.Train.Count, target.Validation.Count, target.Test.Count));
        Assert.Equal(8, plan.Datasets[plan.Specification.Sources[1].Pretrain!.Data].Train.Count);
        Assert.Contains("the target 'chest': 4 images of val are also in train", plan.Notes);
        Assert.Equal("b (pretrained on chest)", PlanSummary.Of(plan).Scenarios.Single().Sources[1].Title);
    }

    [Fact]
    public void A_folder_needs_no_slash()
    {
        var plan = Plan.Build(Read(Yaml.Replace("chest/, train", "chest, train", StringComparison.Ordinal)));

        Assert.Equal(6, plan.Scenarios.Single().Target.Train.Count);
    }

    /// <summary>Nodes know no format: what they read is packed, and gives the same stages.</summary>
    [Fact]
    public void Packed_it_is_a_data_set_like_any_other()
    {
        var plan = Plan.Build(Read(Yaml));
        var packed = plan.Datasets.ToDictionary(data => data.Key, data => PackedDataset.Write(data.Value));
        var frozen = FrozenSpecification.Freeze(
            plan.Specification,
            source => FrozenSpecification.Address(packed[source], plan.Datasets[source].Name),
            path => path);

        var restored = FrozenSpecification.Read(FrozenSpecification.Write(frozen));
        var contents = packed.Values.ToDictionary(content => ContentHash.Of(content));
        var unpacked = FrozenSpecification.Datasets(restored).ToDictionary(
            source => source,
            source => PackedDataset.Read(contents[FrozenSpecification.GetHash(source.Location)], source.Location));

        var stages = Plan.BuildFrozen(restored, unpacked).Stages;
        Assert.Equal(plan.Stages.Select(stage => stage.Key), stages.Select(stage => stage.Key));
    }

    [Theory]
    [InlineData("chest/, trainImages: 6", "missing/", "line 1: 'target.data': there is no folder 'missing/'; looked for")]
    [InlineData("chest/, trainImages: 6", "chests", "line 1: 'target.data': there is no file 'chests'")]
    [InlineData("chest/, trainImages: 6", "chest/, classes: 2", "line 1: the classes of chest/ are fixed: leave 'target.classes' out")]
    public void Mistakes_are_named_with_their_line(string old, string replacement, string message)
    {
        var yaml = Yaml.Replace(old, replacement, StringComparison.Ordinal);

        Assert.Contains(message, Assert.ThrowsAny<InputException>(() => Read(yaml)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gateway_opens_no_folder()
    {
        var sent = new Dictionary<string, string> { ["chest/"] = FrozenSpecification.Address("x"u8, "chest") };

        var error = Assert.ThrowsAny<InputException>(() => SpecificationReader.ReadUploaded(Yaml, "it", sent, ClassFolderFormat.Formats));

        const string expected = "'target.data': 'chest/' is a folder, and folders can't be uploaded to a gateway: make a .zip of it";
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private Specification Read(string yaml) => SpecificationReader.Read(yaml, "test.yaml", [_folder], ClassFolderFormat.Formats);
}
