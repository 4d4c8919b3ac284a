using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Merging.Alignment;
using MedMerge.Models;
using MedMerge.Models.Layers;
using MedMerge.Tests.Models;
using static TorchSharp.torch;

namespace MedMerge.Tests.Merging.Alignment;

public class ChannelGroupsTests
{
    public static TheoryData<string, double> Architectures => NumericsTests.Architectures;

    [Fact]
    public void Every_registered_architecture_is_among_those_tested()
    {
        var tested = Architectures.Select(row => row.Data.Item1).ToHashSet();
        // The deeper ones are built like resnet20.
        Assert.Equal(["resnet32", "resnet44", "resnet56"], MedMerge.Models.Architectures.Names.Where(name => !tested.Contains(name)));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Any_order_of_all_groups_leaves_the_function_as_it_is(string name, double width)
    {
        var architecture = PreActivationNet.Create(name, width);
        var groups = new ChannelGroups(architecture);
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        using var source = RandomModels.Prepared(architecture, 1)[0];
        var order = RandomOrder(groups, seed: 5);
        using var permuted = order.Apply(source);
        var target = RandomModels.TargetFor(architecture);
        using var loader = new BatchLoader(target, TestDevice.Torch, ScalarType.Float64);
        var images = loader.Load(target.Train, [0, 1, 2, 3]);

        var index = tensor(Array.ConvertAll(order.Features, feature => (long)feature), device: TestDevice.Torch);
        var expected = Features(source).index_select(1, index);
        var features = Features(permuted);

        var ordered = groups.Groups.SelectMany(group => group.Uses).Select(use => architecture.Layers[use.Layer]).ToHashSet();
        Assert.All(ordered, layer => Assert.False(source.Kernel(layer).equal(permuted.Kernel(layer)).all().item<bool>()));
        Assert.All(architecture.Layers.Where(layer => !IsOfImages(layer)), layer => Assert.Contains(layer, ordered));
        Assert.True((features - expected).abs().max().item<double>() < 1e-10 * expected.abs().max().item<double>());

        Tensor Features(PreparedSource model) => ComputeFeatures(architecture, model, images);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void The_norms_of_kernels_move_with_their_filters(string name, double width)
    {
        var architecture = PreActivationNet.Create(name, width);
        using var scope = NewDisposeScope();
        using var weights = RandomModels.Weights(architecture, 3, classes: 2);
        using var source = PreparedSource.Prepare("", architecture, weights);
        using var permuted = RandomOrder(new ChannelGroups(architecture), seed: 5).Apply(source);
        foreach (var layer in architecture.Layers.Where(layer => source.Layers.Contains(layer.Norms)))
        {
            // What a filter's norm is to its bias tells whose it is.
            var before = Ratios(source, layer.Norms, layer.Name);
            Assert.Equal(before.Order(), Ratios(permuted, layer.Norms, layer.Name).Order());
        }

        static double[] Ratios(PreparedSource model, string norms, string layer) =>
            [.. (model.Layers[norms] / model.Layers[layer + ".bias"]).to(ScalarType.Float64).data<double>()];
    }

    /// <summary>Each layer's outputs but for the residual streams', of which there is one a stage.</summary>
    [Theory]
    [InlineData(
        "resnet18",
        "conv1, layer1.0.conv1, layer1.1.conv1, layer2.0.downsample.0, layer2.0.conv1, layer2.1.conv1, layer3.0.downsample.0, " +
        "layer3.0.conv1, layer3.1.conv1, layer4.0.downsample.0, layer4.0.conv1, layer4.1.conv1")]
    [InlineData(
        "preactivation",
        "features.conv0, features.denselayer1.conv1, features.denselayer1.conv2, features.denselayer2.conv1, " +
        "features.denselayer2.conv2, features.transition.conv")]
    public void Groups_are_what_must_move_together(string name, string expected)
    {
        var groups = new ChannelGroups(PreActivationNet.Create(name, name == "preactivation" ? 1 : 0.125));
        Assert.Equal(expected.Split(", "), groups.Groups.Select(group => group.Name));
    }

    [Fact]
    public void Shortcuts_of_zeros_divide_a_stream_by_where_its_channels_begin()
    {
        var groups = new ChannelGroups(MedMerge.Models.Architectures.Create("resnet20")).Groups;

        var streams = groups.Where(group => group.Features is not null).ToList();

        Assert.Equal([("conv1", 16), ("layer2.0.conv2", 16), ("layer3.0.conv2", 32)], streams.Select(group => (group.Name, group.Size)));
        Assert.Equal(Enumerable.Range(24, 16), streams[0].Features!); // in the middle of the 32, which are in the middle of the 64
        Assert.Equal(Enumerable.Range(0, 64), streams.SelectMany(group => group.Features!).Order());
    }

    [Fact]
    public void A_depthwise_convolution_is_in_the_group_before_it()
    {
        var architecture = MedMerge.Models.Architectures.Create("mobilenet_v2");
        var groups = new ChannelGroups(architecture).Groups;

        var expanded = groups.Single(group => group.Name == "features.2.conv.0.0");

        Assert.Equal(
            ["features.2.conv.0.0", "features.2.conv.1.0", "features.2.conv.2"],
            expanded.Uses.Select(use => architecture.Layers[use.Layer].Name));
        Assert.Equal([false, false, true], expanded.Uses.Select(use => use.IsInput));
    }

    /// <summary>Weight matching begins with what the images settle, and ends each group with what is settled before it.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void The_first_layer_of_a_group_takes_what_groups_before_it_give(string name, double width)
    {
        var groups = new ChannelGroups(PreActivationNet.Create(name, width)).Groups;
        for (var g = 0; g < groups.Count; g++)
        {
            var first = groups[g].Uses.First(use => !use.IsInput).Layer;
            Assert.DoesNotContain(groups.Skip(g), group => group.Uses.Any(use => use.IsInput && use.Layer == first));
            Assert.NotEmpty(groups[g].Values);
        }
        Assert.Equal(groups.Count, groups.Select(group => group.Name).Distinct().Count());
    }

    /// <summary>Whether a layer only has the images' channels, which stay in their places.</summary>
    private static bool IsOfImages(Layer layer) => layer.Name == "features.norm_in";

    /// <summary>A source's features of images, both float64 and on the tests' device.</summary>
    internal static Tensor ComputeFeatures(Architecture architecture, PreparedSource source, Tensor images) =>
        FoldedNetwork.Of(architecture, source).Convert(tensor => tensor.to(ScalarType.Float64).to(TestDevice.Torch)).Features(images);

    internal static ChannelOrder RandomOrder(ChannelGroups groups, ulong seed)
    {
        var random = new RandomStream(seed);
        return new ChannelOrder(groups, [.. groups.Groups.Select(group => random.Permutation(group.Size))]);
    }
}
