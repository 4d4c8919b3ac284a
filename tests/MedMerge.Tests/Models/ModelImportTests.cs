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
            Assert.Equal(["took the tensors under 'backbone.net.'"], notes);
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
        Assert.Contains("it also has 'layer1.3.bn1.bias' of shape [8]",
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
    public void A_needed_tensor_that_is_no_floating_point_number_is_named()
    {
        using var weights = RandomModels.Weights(ResNet20, 1, classes: 2);
        using var bytes = new StateDict();
        foreach (var (name, tensor) in weights)
            bytes.Add("net." + name, name is "conv1.weight" or "bn1.num_batches_tracked" ? tensor.to(ScalarType.Int8) : tensor.clone());
        var error = Assert.Throws<InputException>(() => Import(ResNet20, bytes, name => name));
        const string message = "'conv1.weight' has the type I8; parameters are read from F64, F32, F16 or BF16";
        Assert.Contains(message, error.Message, StringComparison.Ordinal);

        using var rest = new StateDict();
        foreach (var (name, tensor) in bytes) rest.Add(name, name == "net.conv1.weight" ? weights["conv1.weight"].clone() : tensor.clone());
        Import(ResNet20, rest, name => name).Weights.Dispose(); // a counter that nobody needs
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
            Assert.Equal(["took the tensors under 'module.encoder_q.'"], notes);
            Assert.True(query["layer2.0.conv1.weight"].bytes.SequenceEqual(imported["layer2.0.conv1.weight"].bytes));
        }
    }

    /// <summary>Momentum contrast, distillation and averaged weights keep two networks in a file; their order must not decide.</summary>
    [Theory]
    [InlineData("q.", "k.")]
    [InlineData("student.", "teacher.")]
    [InlineData("model.", "ema_model.module.")]
    [InlineData("", "ema.")]
    public void Of_several_models_in_a_file_the_specification_chooses(string first, string second)
    {
        using var one = RandomModels.Weights(ResNet20, 1, classes: 2);
        using var other = RandomModels.Weights(ResNet20, 2, classes: 2);
        using var both = new StateDict();
        foreach (var (name, tensor) in one) both.Add(first + name, tensor.clone());
        foreach (var (name, tensor) in other) both.Add(second + name, tensor.clone());

        var message = Assert.Throws<InputException>(() => Import(ResNet20, both, name => name)).Message;

        Assert.Contains("several models that fit a resnet20 (width 0.5)", message, StringComparison.Ordinal);
        Assert.Contains(first.Length == 0 ? "'.'" : $"'{first}'", message, StringComparison.Ordinal);
        Assert.Contains($"'{second}'", message, StringComparison.Ordinal);
        var (imported, _) = Import(ResNet20, both, name => name, first.TrimEnd('.'));
        using (imported) Assert.True(one["conv1.weight"].bytes.SequenceEqual(imported["conv1.weight"].bytes));
        (imported, _) = Import(ResNet20, both, name => name, second.Split('.')[0]); // the start of a prefix is enough
        using (imported) Assert.True(other["conv1.weight"].bytes.SequenceEqual(imported["conv1.weight"].bytes));
        Assert.Contains("it holds no model under the prefix 'teach'; there is one under",
            Assert.Throws<InputException>(() => Import(ResNet20, both, name => name, "teach")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tensors_beside_the_model_do_not_hide_it()
    {
        using var weights = RandomModels.Weights(ResNet20, 1, classes: 2);
        using var file = new StateDict();
        file.Add("best_acc1", tensor(71.5));
        foreach (var (name, value) in weights) file.Add("state_dict.module." + name, value.clone());
        file.Add("head.0.conv1.weight", ones(4, 4));
        var (imported, notes) = Import(ResNet20, file, name => name);
        using (imported) Assert.Equal(weights.Names, imported.Names);
        Assert.Equal(["took the tensors under 'state_dict.module.'"], notes);
    }

    [Fact]
    public void A_classifier_without_bias_has_a_bias_of_zero()
    {
        using var weights = RandomModels.Weights(ResNet20, 1, classes: 3);
        using var file = new StateDict();
        foreach (var (name, value) in weights.Where(pair => pair.Key != "linear.bias")) file.Add(name, value.clone());
        var (imported, notes) = Import(ResNet20, file, name => name);
        using (imported)
        {
            Assert.Equal([0f, 0f, 0f], imported["linear.bias"].data<float>().ToArray());
            Assert.True(weights["linear.weight"].bytes.SequenceEqual(imported["linear.weight"].bytes));
        }
        Assert.Equal(["took zeros for 'linear.bias', which it does not have"], notes);
    }

    [Theory]
    [InlineData("linear.weight")]
    [InlineData("linear.bias")]
    public void A_classifier_of_another_form_is_left_out(string changed)
    {
        using var weights = RandomModels.Weights(ResNet20, 1, classes: 3);
        using var file = new StateDict();
        foreach (var (name, value) in weights) file.Add(name, name == changed ? value.to(ScalarType.Int8) : value.clone());
        var (imported, notes) = Import(ResNet20, file, name => name);
        using (imported) Assert.DoesNotContain("linear.weight", imported.Names);
        Assert.Equal(["left out its classifier 'linear', which has another form"], notes);
    }

    [Theory]
    [InlineData("resnet20", 1)]
    [InlineData("resnet20", 0.25)]
    [InlineData("resnet18", 0.125)]
    [InlineData("resnet18-3x3", 0.125)]
    [InlineData("resnet34", 0.0625)]
    [InlineData("resnet50", 0.0625)]
    [InlineData("vgg16_bn", 0.0625)]
    [InlineData("densenet121", 0.0625)]
    [InlineData("mobilenet_v2", 0.125)]
    public void An_architecture_is_recognised_at_any_width_under_any_prefix(string name, double width)
    {
        var architecture = Architectures.Create(name, width);
        using var weights = RandomModels.Weights(architecture, 1, classes: 2);
        using var file = RandomModels.WriteAndRead(weights, prefix: "net.");
        Assert.Equal([(architecture.Title, "net.")], ModelImport.Recognise(file).Select(found => (found.Architecture.Title, found.Prefix)));
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

    /// <summary>The files on torchvision's server have them.</summary>
    [Fact]
    public void DenseNets_older_names_are_known()
    {
        var architecture = Architectures.Create("densenet121", 0.03125);
        using var weights = RandomModels.Weights(architecture, 1, classes: 2);
        string[] parts = ["norm1", "norm2", "conv1", "conv2"];
        string Older(string name) => parts.Aggregate(name, (current, part) =>
            current.Replace($".{part}.", $".{part[..^1]}.{part[^1]}.", StringComparison.Ordinal));
        Assert.Equal(
            "features.denseblock1.denselayer2.norm.1.weight",
            Older("features.denseblock1.denselayer2.norm1.weight"));

        var (imported, _) = Import(architecture, weights, Older);

        using (imported) Assert.Equal(Safetensors.Write(weights), Safetensors.Write(imported));
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

    private static (StateDict Weights, List<string> Notes) Import(
        Architecture architecture,
        StateDict weights,
        Func<string, string> rename,
        string? chosen = null)
    {
        var tensors = new StateDict();
        foreach (var (name, tensor) in weights) tensors.Add(rename(name), tensor.clone());
        using (tensors)
        {
            using var file = ModelFile.Read(Safetensors.Write(tensors), "it");
            var notes = new List<string>();
            return (ModelImport.Import(architecture, file, chosen, "it", notes), notes);
        }
    }
}
