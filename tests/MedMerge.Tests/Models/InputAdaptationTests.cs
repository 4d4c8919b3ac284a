using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Tests.Models;

/// <summary>A source that is brought to another input normalisation.</summary>
public class InputAdaptationTests
{
    private static readonly InputNormalisation From = InputNormalisation.Known["imagenet"];
    private static readonly InputNormalisation To = new([0.2, 0.3, 0.1], [0.3, 0.5, 0.2]);

    /// <summary>
    /// Away from the edge, where padding is zeros before as after, the first layer computes the same. What the rest of the network gets is
    /// then the same too.
    /// </summary>
    [Theory]
    [InlineData("resnet20", 1)]
    [InlineData("resnet18", 3)]
    [InlineData("vgg16_bn", 1)]
    [InlineData("densenet121", 3)]
    [InlineData("mobilenet_v2", 1)]
    [InlineData("preactivation", 0)]
    public void The_first_layer_computes_the_same_of_other_input(string name, int edge)
    {
        var architecture = PreActivationNet.Create(name, 0.125);
        using var scope = NewDisposeScope();
        using var model = Widen(RandomModels.Weights(architecture, seed: 1, classes: 2));
        var images = rand(2, 3, 32, 32, ScalarType.Float64);

        using var adapted = InputAdaptation.Adapt(architecture, model, From, To);

        var expected = Apply(model, Normalise(images, From));
        var actual = Apply(adapted, Normalise(images, To));
        var inner = expected.shape[2] - (2 * edge);
        Tensor Inner(Tensor output) => output.narrow(2, edge, inner).narrow(3, edge, inner);
        var difference = (Inner(expected) - Inner(actual)).abs().max().item<double>();
        Assert.True(difference < 1e-10 * expected.abs().max().item<double>(), $"{difference}");
        Assert.False(allclose(Apply(model, Normalise(images, To)), expected));

        Tensor Apply(StateDict weights, Tensor input) =>
            architecture.Layers[0].Apply(input, tensor => weights[tensor], training: false);
    }

    [Fact]
    public void A_model_for_the_same_input_stays_as_it_is()
    {
        var architecture = Architectures.Create("resnet20", 0.25);
        using var model = RandomModels.Weights(architecture, seed: 1, classes: 2);

        using var adapted = InputAdaptation.Adapt(architecture, model, From, From);

        foreach (var (name, tensor) in model) Assert.Equal(tensor.bytes.ToArray(), adapted[name].bytes.ToArray());
    }

    internal static Tensor Normalise(Tensor images, InputNormalisation input) =>
        (images - tensor(input.Mean.ToArray()).view(1, -1, 1, 1)) / tensor(input.Deviation.ToArray()).view(1, -1, 1, 1);

    private static StateDict Widen(StateDict model)
    {
        var wide = new StateDict();
        foreach (var (name, tensor) in model) wide.Add(name, tensor.is_floating_point() ? tensor.to(ScalarType.Float64) : tensor.clone());
        model.Dispose();
        return wide;
    }
}
