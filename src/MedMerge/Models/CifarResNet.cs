using MedMerge.Models.Layers;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models;

/// <summary>
/// The ResNets for small images of He et al. 2015, section 4.2: a 3×3 stem, three stages of (depth − 2)/6 basic blocks with 16, 32 and 64
/// channels, option-A shortcuts (stride by dropping pixels, new channels zero). Names as in akamaster/pytorch_resnet_cifar10.
/// </summary>
internal sealed class CifarResNet(int depth, double width)
    : Architecture($"resnet{depth}", width, "linear", Build(depth, width))
{
    private static readonly int[] StageChannels = [16, 32, 64];

    /// <inheritdoc />
    public override int Features => Layers[^1].Out;

    /// <inheritdoc />
    public override IReadOnlyList<KeyAlias> KeyAliases { get; } = [new("linear.", "fc.")];

    /// <inheritdoc />
    public override Tensor Forward(Tensor images, LayerFunction apply)
    {
        using var scope = NewDisposeScope();
        var x = Relu(() => apply(0, images));
        for (var first = 1; first < Layers.Count; first += 2)
        {
            var layer = first;
            using var input = x;
            using var inner = Relu(() => apply(layer, input));
            x = Relu(() => apply(layer + 1, inner).Add(Shortcut(input, (Convolution)Layers[layer])));
        }
        return x.mean([2L, 3L]).MoveToOuterDisposeScope();
    }

    private static Tensor Shortcut(Tensor x, Convolution layer)
    {
        if (layer.In == layer.Out) return x;
        var pad = (layer.Out - layer.In) / 2L;
        var step = layer.Stride;
        var sampled = x[TensorIndex.Colon, TensorIndex.Colon, TensorIndex.Slice(step: step), TensorIndex.Slice(step: step)];
        return nn.functional.pad(sampled, [0, 0, 0, 0, pad, layer.Out - layer.In - pad]);
    }

    private static List<Layer> Build(int depth, double width)
    {
        var channels = StageChannels.Select(c => ScaleChannels(c, width)).ToArray();
        var layers = new List<Layer> { new Convolution("conv1", "bn1", 3, channels[0], kernel: 3, stride: 1) };
        var current = channels[0];
        for (var stage = 0; stage < channels.Length; stage++)
        {
            for (var block = 0; block < (depth - 2) / 6; block++)
            {
                var stride = stage > 0 && block == 0 ? 2 : 1;
                var name = $"layer{stage + 1}.{block}";
                layers.Add(new Convolution($"{name}.conv1", $"{name}.bn1", current, channels[stage], kernel: 3, stride));
                layers.Add(new Convolution($"{name}.conv2", $"{name}.bn2", channels[stage], channels[stage], kernel: 3, stride: 1));
                current = channels[stage];
            }
        }
        return layers;
    }
}
