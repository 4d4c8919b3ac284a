using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models;

/// <summary>
/// ResNet-18 (He et al. 2015, table 1) under torchvision's names. With <paramref name="smallStem"/> the 3×3 stem without pooling that
/// MedMNIST uses at 28 pixels.
/// </summary>
public sealed class ResNet18(bool smallStem, double width)
    : Architecture(smallStem ? "resnet18-3x3" : "resnet18", width, "fc", Build(smallStem, width))
{
    private static readonly int[] StageChannels = [64, 128, 256, 512];

    /// <inheritdoc />
    public override Tensor Forward(Tensor images, Convolve convolve)
    {
        var layer = 0;
        var x = nn.functional.relu(convolve(layer++, images));
        if (!smallStem) x = nn.functional.max_pool2d(x, 3, 2, 1);
        while (layer < Layers.Count)
        {
            var (first, second) = (layer, layer + 1);
            layer += 2;
            var identity = layer < Layers.Count && IsShortcut(Layers[layer]) ? convolve(layer++, x) : x;
            x = nn.functional.relu(convolve(second, nn.functional.relu(convolve(first, x))).Plus(identity));
        }
        return x.mean([2L, 3L]);
    }

    private static bool IsShortcut(ConvLayer layer) => layer.Name.EndsWith("downsample.0", StringComparison.Ordinal);

    private static List<ConvLayer> Build(bool smallStem, double width)
    {
        var channels = StageChannels.Select(c => Architectures.Scale(c, width)).ToArray();
        var layers = new List<ConvLayer> { new("conv1", "bn1", 3, channels[0], smallStem ? 3 : 7, smallStem ? 1 : 2) };
        var current = channels[0];
        for (var stage = 0; stage < channels.Length; stage++)
        {
            for (var block = 0; block < 2; block++)
            {
                var stride = stage > 0 && block == 0 ? 2 : 1;
                var name = $"layer{stage + 1}.{block}";
                layers.Add(new($"{name}.conv1", $"{name}.bn1", current, channels[stage], 3, stride));
                layers.Add(new($"{name}.conv2", $"{name}.bn2", channels[stage], channels[stage], 3, 1));
                if (stride != 1) layers.Add(new($"{name}.downsample.0", $"{name}.downsample.1", current, channels[stage], 1, stride));
                current = channels[stage];
            }
        }
        return layers;
    }
}
