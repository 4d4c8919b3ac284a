using MedMerge.Models.Layers;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models;

/// <summary>
/// DenseNet-121 (Huang et al. 2017, table 1) under torchvision's names. A dense layer normalises all features so far, makes them few by a
/// 1×1 convolution, and adds the channels of a 3×3 convolution to them.
/// </summary>
internal sealed class DenseNet121 : Architecture
{
    private const int StemChannels = 64, Growth = 32, BottleneckFactor = 4;

    /// <summary>Dense layers of each block.</summary>
    private static readonly int[] Blocks = [6, 12, 24, 16];

    /// <param name="width">Multiplies the stem's channels and the growth, and so every layer's channels.</param>
    public DenseNet121(double width)
        : base("densenet121", width, "classifier", Build(width))
    {
    }

    /// <inheritdoc />
    public override int Features => Layers[^1].Out;

    /// <inheritdoc />
    /// <remarks>The stem rounds two halvings up, the transitions three down: 29 → 15 → 8 → 4 → 2 → 1.</remarks>
    public override int MinSide => 29;

    /// <inheritdoc />
    /// <remarks>Files that older versions of torchvision wrote, those on its server among them, have them.</remarks>
    public override IReadOnlyList<KeyAlias> KeyAliases { get; } =
    [
        new(".norm1.", ".norm.1."),
        new(".conv1.", ".conv.1."),
        new(".norm2.", ".norm.2."),
        new(".conv2.", ".conv.2."),
    ];

    /// <inheritdoc />
    public override Tensor Forward(Tensor images, LayerFunction apply)
    {
        using var scope = NewDisposeScope();
        var x = Stem(images, apply);
        var layer = 1;
        for (var block = 0; block < Blocks.Length; block++)
        {
            for (var i = 0; i < Blocks[block]; i++)
            {
                using var features = x;
                using var grown = Grow(features, layer, apply);
                x = cat([features, grown], 1);
                layer += 3;
            }
            if (block == Blocks.Length - 1) break;
            using var all = x;
            x = Transition(all, layer, apply);
            layer += 2;
        }
        using var last = x;
        return Relu(() => apply(layer, last)).mean([2L, 3L]).MoveToOuterDisposeScope();
    }

    private static Tensor Stem(Tensor images, LayerFunction apply)
    {
        using var wide = Relu(() => apply(0, images));
        return nn.functional.max_pool2d(wide, 3, 2, 1);
    }

    private static Tensor Grow(Tensor features, int layer, LayerFunction apply)
    {
        using var normalised = Relu(() => apply(layer, features));
        using var few = Relu(() => apply(layer + 1, normalised));
        return apply(layer + 2, few);
    }

    private static Tensor Transition(Tensor features, int layer, LayerFunction apply)
    {
        using var normalised = Relu(() => apply(layer, features));
        using var half = apply(layer + 1, normalised);
        return nn.functional.avg_pool2d(half, 2);
    }

    private static List<Layer> Build(double width)
    {
        var growth = ScaleChannels(Growth, width);
        var channels = ScaleChannels(StemChannels, width);
        var inner = BottleneckFactor * growth;
        var layers = new List<Layer> { new Convolution("features.conv0", "features.norm0", 3, channels, kernel: 7, stride: 2) };
        for (var block = 1; block <= Blocks.Length; block++)
        {
            for (var i = 1; i <= Blocks[block - 1]; i++)
            {
                var name = $"features.denseblock{block}.denselayer{i}";
                layers.Add(new Normalisation($"{name}.norm1", channels));
                layers.Add(new Convolution($"{name}.conv1", $"{name}.norm2", channels, inner, kernel: 1, stride: 1));
                layers.Add(new Convolution($"{name}.conv2", batchNorm: null, inner, growth, kernel: 3, stride: 1));
                channels += growth;
            }
            if (block == Blocks.Length) break;
            var transition = $"features.transition{block}";
            layers.Add(new Normalisation($"{transition}.norm", channels));
            layers.Add(new Convolution($"{transition}.conv", batchNorm: null, channels, channels / 2, kernel: 1, stride: 1));
            channels /= 2;
        }
        layers.Add(new Normalisation("features.norm5", channels));
        return layers;
    }
}
