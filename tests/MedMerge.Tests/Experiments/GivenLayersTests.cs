using MedMerge.Experiments.Specifications;
using MedMerge.Models;

namespace MedMerge.Tests.Experiments;

/// <summary>Layers that one source gives alone.</summary>
public class GivenLayersTests
{
    private static readonly Architecture Network = Architectures.Create("resnet20", 0.125);

    [Fact]
    public void A_name_stands_for_the_layers_that_begin_with_it_and_the_longer_counts()
    {
        var given = GivenLayers.Resolve("layer1=b, layer1.2=a,conv1 = a", Network, ["a", "b"])!;

        Assert.Equal(0, Of("conv1"));
        Assert.Equal(1, Of("layer1.0.conv1"));
        Assert.Equal(1, Of("layer1.1.conv2"));
        Assert.Equal(0, Of("layer1.2.conv1"));
        Assert.Equal(GivenLayers.Learned, Of("layer2.0.conv1"));
        Assert.Null(GivenLayers.Resolve(GivenLayers.None, Network, ["a", "b"]));

        int Of(string layer) => given[Network.Layers.Index().Single(other => other.Item.Name == layer).Index];
    }

    [Theory]
    [InlineData("conv1", false)]
    [InlineData("conv1=", false)]
    [InlineData("conv1=a,", false)]
    [InlineData("conv1=a b", false)]
    [InlineData("none", true)]
    [InlineData("conv1=a, layer4.0=b", true)]
    public void The_form_is_checked(string text, bool isValid) => Assert.Equal(isValid, GivenLayers.IsValid(text));

    [Theory]
    [InlineData("conv1=c", "there is no source 'c'")]
    [InlineData("layer9=a", "has no layer 'layer9'")]
    [InlineData("layer=a", "has no layer 'layer'")]
    public void What_there_is_not_is_named(string text, string message)
    {
        var error = Assert.Throws<InputException>(() => GivenLayers.Resolve(text, Network, ["a", "b"]));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}
