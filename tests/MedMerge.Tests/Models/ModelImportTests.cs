using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Tests.Models;

public class ModelImportTests
{
    private static readonly Architecture ResNet20 = Architectures.Create("resnet20", 0.5);

    [Fact]
    public void A_prefix_is_found_by_itself_and_reported()
    {
        using var weights = RandomModels.Weights(ResNet20, 1, classes: 10);
        var (imported, notes) = Import(ResNet20, weights, name => "backbone.net." + name);
        using (imported)
        {
            Assert.Equal(["removed the prefix 'backbone.net.'"], notes);
            Assert.Equal(weights.Names, imported.Names);
            Assert.True(weights["layer2.0.conv1.weight"].bytes.SequenceEqual(imported["layer2.0.conv1.weight"].bytes));
            Assert.Equal([10L, 32L], imported["linear.weight"].shape);
        }
    }

    [Fact]
    public void Another_width_names_the_first_layer_that_differs_with_both_shapes()
    {
        using var weights = RandomModels.Weights(Architectures.Create("resnet20"), 1, classes: 10);
        var error = Assert.Throws<InputException>(() => Import(ResNet20, weights, name => name));
        Assert.Equal("it is not a resnet20 (width 0.5): 'conv1.weight' has shape [16, 3, 3, 3], wanted [8, 3, 3, 3].", error.Message);
    }

    [Fact]
    public void A_shallower_and_a_deeper_network_are_told_apart()
    {
        var deep = Architectures.Create("resnet32", 0.5);
        using var shallowWeights = RandomModels.Weights(ResNet20, 1, classes: 2);
        using var deepWeights = RandomModels.Weights(deep, 1, classes: 2);
        Assert.Contains("it has no 'layer1.3.conv1.weight' (wanted shape [8, 8, 3, 3])",
            Assert.Throws<InputException>(() => Import(deep, shallowWeights, name => name)).Message, StringComparison.Ordinal);
        Assert.Contains("it also has 'layer1.3.conv1.weight' of shape [8, 8, 3, 3]",
            Assert.Throws<InputException>(() => Import(ResNet20, deepWeights, name => name)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Values_that_are_no_numbers_are_refused_by_tensor(float value)
    {
        using var weights = RandomModels.Weights(ResNet20, 1, classes: 2);
        weights["layer3.1.conv2.weight"].view(-1)[5] = value;
        Assert.Contains("NaN or infinite values in 'layer3.1.conv2.weight'",
            Assert.Throws<InputException>(() => Import(ResNet20, weights, name => name)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_needed_tensor_of_a_type_that_is_not_read_is_named()
    {
        using var weights = RandomModels.Weights(ResNet20, 1, classes: 2);
        var (tensors, unread) = (new StateDict(), new List<UnreadTensor>());
        foreach (var (name, tensor) in weights)
        {
            if (name is "conv1.weight" or "bn1.num_batches_tracked") unread.Add(new UnreadTensor("net." + name, "F8_E4M3", tensor.shape));
            else tensors.Add("net." + name, tensor.clone());
        }
        using var file = new ModelFile(tensors, "test", new Dictionary<string, string>(), []) { Unread = unread };
        var error = Assert.Throws<InputException>(() => ModelImport.Import(ResNet20, file, "it", new List<string>()));
        Assert.Contains("'conv1.weight' has the type F8_E4M3, which is not read", error.Message, StringComparison.Ordinal);

        tensors.Add("net.conv1.weight", weights["conv1.weight"].clone());
        using var rest = file with { Unread = [unread[1]] };
        ModelImport.Import(ResNet20, rest, "it", new List<string>()).Dispose(); // a counter that nobody needs
    }

    [Fact]
    public void A_sibling_under_another_prefix_is_no_part_of_the_backbone()
    {
        using var query = RandomModels.Weights(ResNet20, 1, classes: 10);
        using var key = RandomModels.Weights(Architectures.Create("resnet32", 0.5), 2, classes: 10);
        using var both = new StateDict();
        foreach (var (name, tensor) in query) both.Add("module.encoder_q." + name, tensor.clone());
        foreach (var (name, tensor) in key) both.Add("module.encoder_k." + name, tensor.clone());
        both.Add("module.queue", ones(4, 4));
        both.Add("module.queue_ptr", ones(1));
        var (imported, notes) = Import(ResNet20, both, name => name);
        using (imported)
        {
            Assert.Equal(["removed the prefix 'module.encoder_q.'"], notes);
            Assert.True(query["layer2.0.conv1.weight"].bytes.SequenceEqual(imported["layer2.0.conv1.weight"].bytes));
        }
    }

    [Fact]
    public void A_negative_variance_is_named()
    {
        using var weights = RandomModels.Weights(ResNet20, 1, classes: 2);
        weights["layer1.0.bn1.running_var"][3] = -0.001f;
        Assert.Contains("holds negative variances in 'layer1.0.bn1.running_var'",
            Assert.Throws<InputException>(() => Import(ResNet20, weights, name => name)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("layer2.1.bn2.weight", "layer2.1.conv2")]
    [InlineData("bn1.running_mean", "conv1")]
    public void Batch_norm_that_cannot_be_folded_is_refused_by_layer(string tensor, string layer)
    {
        using var weights = RandomModels.Weights(ResNet20, 1, classes: 2);
        weights[tensor][0] = 3e38f;
        weights[layer + ".weight"].view(-1)[0] = 1e3f;
        weights[layer.Replace("conv", "bn", StringComparison.Ordinal) + ".weight"][0] = 3e38f;
        var error = Assert.Throws<InputException>(() => PreparedSource.Prepare("a", ResNet20, weights));
        Assert.Contains($"source 'a': folding batch norm into the layer '{layer}'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MedMnists_own_names_are_known_and_a_missing_classifier_is_fine()
    {
        var architecture = Architectures.Create("resnet18-3x3", 0.125);
        using var weights = RandomModels.Weights(architecture, 1, classes: 2);
        using var renamed = new StateDict();
        foreach (var (name, tensor) in weights.Where(pair => !pair.Key.StartsWith("fc.", StringComparison.Ordinal)))
            renamed.Add(name.Replace(".downsample.", ".shortcut.", StringComparison.Ordinal), tensor.clone());
        var (imported, _) = Import(architecture, renamed, name => name);
        using (imported) Assert.Contains("layer2.0.downsample.0.weight", imported.Names);
    }

    [Fact]
    public void Half_precision_becomes_float32()
    {
        using var weights = RandomModels.Weights(ResNet20, 1, classes: 2);
        using var half = new StateDict();
        foreach (var (name, tensor) in weights) half.Add(name, tensor.is_floating_point() ? tensor.to(ScalarType.Float16) : tensor.clone());
        var (imported, _) = Import(ResNet20, half, name => name);
        using (imported)
        {
            var floats = imported.Select(pair => pair.Value).Where(tensor => tensor.is_floating_point());
            Assert.All(floats, tensor => Assert.Equal(ScalarType.Float32, tensor.dtype));
        }
    }

    private static (StateDict Weights, List<string> Notes) Import(Architecture architecture, StateDict weights, Func<string, string> rename)
    {
        var tensors = new StateDict();
        foreach (var (name, tensor) in weights) tensors.Add(rename(name), tensor.clone());
        using var file = new ModelFile(tensors, "test", new Dictionary<string, string>(), []);
        var notes = new List<string>();
        return (ModelImport.Import(architecture, file, "it", notes), notes);
    }
}
