using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Merging.Alignment;
using MedMerge.Tensors;
using MedMerge.Tests.Models;
using static TorchSharp.torch;

namespace MedMerge.Tests.Merging.Alignment;

/// <summary>Matching by weights and by activations.</summary>
public class MatchingTests
{
    public static TheoryData<string, double> Architectures => NumericsTests.Architectures;

    [Theory]
    [MemberData(nameof(Architectures))]
    public void The_anchor_in_another_order_is_brought_back_by_its_weights(string name, double width) =>
        CheckRecovery(name, width, AlignmentMethod.Weights);

    [Theory]
    [MemberData(nameof(Architectures))]
    public void The_anchor_in_another_order_is_brought_back_by_its_activations(string name, double width) =>
        CheckRecovery(name, width, AlignmentMethod.Activations);

    [Theory]
    [InlineData(AlignmentMethod.Weights)]
    [InlineData(AlignmentMethod.Activations)]
    public void Another_model_comes_nearer_to_the_anchor_and_computes_what_it_did(object method)
    {
        var architecture = PreActivationNet.Create("resnet20", 0.5);
        var target = RandomModels.TargetFor(architecture);
        var groups = new ChannelGroups(architecture);
        using var scope = NewDisposeScope();
        var sources = RandomModels.Prepared(architecture, 2);
        var order = Match(groups, sources[0], sources[1], (AlignmentMethod)method);
        using var aligned = order.Apply(sources[1]);

        Assert.False(order.IsIdentity);
        Assert.Equal(order.Orders, Match(groups, sources[0], sources[1], (AlignmentMethod)method).Orders); // each time the same
        if (method is AlignmentMethod.Weights) Assert.True(Distance(aligned) < Distance(sources[1]));
        using var loader = new BatchLoader(target, TestDevice.Torch, ScalarType.Float64);
        var images = loader.Load(target.Train, [0, 1]);
        var index = tensor(Array.ConvertAll(order.Features, feature => (long)feature), device: TestDevice.Torch);
        var difference = (ComputeFeatures(sources[1]).index_select(1, index) - ComputeFeatures(aligned)).abs().max().item<double>();
        Assert.True(difference < 1e-10, $"The features differ by {difference}.");

        Tensor ComputeFeatures(PreparedSource model) => ChannelGroupsTests.ComputeFeatures(architecture, model, images);

        double Distance(PreparedSource model) => architecture.Layers.Sum(layer =>
            (model.Kernel(layer) - sources[0].Kernel(layer)).Squared().sum(ScalarType.Float64).item<double>()
            + (model.Bias(layer) - sources[0].Bias(layer)).Squared().sum(ScalarType.Float64).item<double>());
    }

    /// <summary>Channels that can't be told apart stay where they are.</summary>
    [Theory]
    [InlineData(AlignmentMethod.Weights)]
    [InlineData(AlignmentMethod.Activations)]
    public void The_anchor_itself_stays_as_it_is_with_channels_that_are_dead(object method)
    {
        var architecture = PreActivationNet.Create("resnet20", 0.5);
        var groups = new ChannelGroups(architecture);
        using var anchor = RandomModels.Prepared(architecture, 1)[0];
        foreach (var layer in architecture.Layers)
        {
            using var scope = NewDisposeScope();
            anchor.Kernel(layer).narrow(0, 1, 3).zero_();
            anchor.Bias(layer).narrow(0, 1, 3).zero_();
        }
        Assert.True(Match(groups, anchor, anchor, (AlignmentMethod)method).IsIdentity);
    }

    [Fact]
    public void Orders_are_stored_by_name_and_checked_when_read()
    {
        var groups = new ChannelGroups(PreActivationNet.Create("resnet20", 0.5));
        var order = ChannelGroupsTests.RandomOrder(groups, seed: 3);

        Assert.Equal(order.Orders, ChannelOrder.FromNamed(groups, order.ToNamed()).Orders);
        Assert.Empty(ChannelOrder.Identity(groups).ToNamed());
        Assert.True(ChannelOrder.FromNamed(groups, new Dictionary<string, int[]>()).IsIdentity);
        foreach (var (name, bad) in new (string, int[])[] { ("conv1", [0, 1]), ("conv1", [1, 1, 2, 3, 4, 5, 6, 7]), ("conv9", [0]) })
            Assert.Throws<FormatException>(() => ChannelOrder.FromNamed(groups, new Dictionary<string, int[]> { [name] = bad }));
    }

    private static void CheckRecovery(string name, double width, AlignmentMethod method)
    {
        var architecture = PreActivationNet.Create(name, width);
        var groups = new ChannelGroups(architecture);
        using var anchor = RandomModels.Prepared(architecture, 1)[0];
        var hidden = ChannelGroupsTests.RandomOrder(groups, seed: 11);
        using var partner = hidden.Apply(anchor);

        var found = Match(groups, anchor, partner, method);
        using var aligned = found.Apply(partner);

        foreach (var (group, there, back) in groups.Groups.Zip(hidden.Orders, found.Orders))
            Assert.True(Enumerable.Range(0, group.Size).SequenceEqual(back.Select(channel => there[channel])), group.Name);
        Assert.Equal(Safetensors.Write(anchor.Layers), Safetensors.Write(aligned.Layers));
    }

    private static ChannelOrder Match(ChannelGroups groups, PreparedSource anchor, PreparedSource source, AlignmentMethod method)
    {
        using var scope = NewDisposeScope();
        if (method == AlignmentMethod.Weights)
            return WeightMatching.Match(groups, anchor, source, TestDevice.Torch, CancellationToken.None);
        var target = RandomModels.TargetFor(groups.Architecture);
        using var loader = new BatchLoader(target, TestDevice.Torch);
        return ActivationMatching.Match(groups, anchor, source, target, loader, TestDevice.Torch, CancellationToken.None);
    }
}
