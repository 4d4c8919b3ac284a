using MedMerge.Models.Layers;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models;

/// <summary>
/// ResNet-18 (He et al. 2015, table 1) under torchvision's names. With <paramref name="smallStem"/> the 3×3 stem without pooling that
/// MedMNIST uses at 28 pixels.
/// </summary>
internal sealed class ResNet18(bool smallStem, double width)
    : Architecture(smallStem ? "resnet18-3x3" : "resnet18", width, "fc", Build(smallStem, width))
{
    private static readonly int[] StageChannels = [64, 128, 256, 512];

    /// <inheritdoc />
    public override int Features => Layers[^1].Out;

    /// <inheritdoc />
    /// <remarks>MedMNIST's own ResNet-18 uses them.</remarks>
    public override IReadOnlyList<KeyAlias> KeyAliases { get; } = [new(".downsample.", ".shortcut."), new("fc.", "linear.")];

    /// <inheritdoc />
    public override Tensor Forward(Tensor images, LayerFunction apply)
    {
        using var scope = NewDisposeScope();
        var x = Stem(images, apply);
        var layer = 1;
        while (layer < Layers.Count)
        {
            var (first, second) = (layer, layer + 1);
            layer += 2;
            using var input = x;
            using var shortcut = layer < Layers.Count && IsShortcut(Layers[layer]) ? apply(layer++, input) : null;
            using var inner = Relu(() => apply(first, input));
            x = Relu(() => apply(second, inner).Add(shortcut ?? input));
        }
        return x.mean([2L, 3L]).MoveToOuterDisposeScope();
    }

    private Tensor Stem(Tensor images, LayerFunction apply)
    {
        var x = Relu(() => apply(0, images));
        if (smallStem) return x;
        using var wide = x;
        return nn.functional.max_pool2d(wide, 3, 2, 1);
    }

    private static bool IsShortcut(Layer layer) => layer.Name.EndsWith("downsample.0", StringComparison.Ordinal);

    private static List<Layer> Build(bool smallStem, double width)
    {
        var channels = StageChannels.Select(c => ScaleChannels(c, width)).ToArray();
        var (stemKernel, stemStride) = smallStem ? (3, 1) : (7, 2);
        var layers = new List<Layer> { new Convolution("conv1", "bn1", 3, channels[0], stemKernel, stemStride) };
        var current = channels[0];
        for (var stage = 0; stage < channels.Length; stage++)
        {
            for (var block = 0; block < 2; block++)
            {
                var stride = stage > 0 && block == 0 ? 2 : 1;
                var name = $"layer{stage + 1}.{block}";
                var outputs = channels[stage];
                layers.Add(new Convolution($"{name}.conv1", $"{name}.bn1", current, outputs, kernel: 3, stride));
                layers.Add(new Convolution($"{name}.conv2", $"{name}.bn2", outputs, outputs, kernel: 3, stride: 1));
                if (stride != 1)
                    layers.Add(new Convolution($"{name}.downsample.0", $"{name}.downsample.1", current, outputs, kernel: 1, stride));
                current = outputs;
            }
        }
        return layers;
    }
}
