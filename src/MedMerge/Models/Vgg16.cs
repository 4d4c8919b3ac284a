using MedMerge.Models.Layers;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models;

/// <summary>
/// VGG-16 with batch norm (Simonyan &amp; Zisserman 2015, configuration D) under torchvision's names. The head is the last linear layer
/// only; the two before it are the backbone's, as their 4096 features, and not the pooled image, are what a head is trained on. Without
/// torchvision's dropout between them, which evaluation does not have either.
/// </summary>
internal sealed class Vgg16 : Architecture
{
    private const int PooledSide = 7, Hidden = 4096;

    /// <summary>Channels of the convolutions between two poolings.</summary>
    private static readonly int[][] Stages = [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]];

    /// <param name="width">Multiplies every layer's channels.</param>
    public Vgg16(double width)
        : base("vgg16_bn", width, "classifier.6", Build(width))
    {
    }

    /// <inheritdoc />
    public override int Features => Layers[^1].Out;

    /// <inheritdoc />
    /// <remarks>It is halved five times.</remarks>
    public override int MinSide => 32;

    /// <inheritdoc />
    public override Tensor Forward(Tensor images, LayerFunction apply)
    {
        using var scope = NewDisposeScope();
        var x = images.alias();
        var layer = 0;
        foreach (var stage in Stages)
        {
            foreach (var _ in stage) x = Next(x);
            using var wide = x;
            x = nn.functional.max_pool2d(wide, 2);
        }
        x = Pool(Pool(x, dimension: 2), dimension: 3);
        while (layer < Layers.Count) x = Next(x);
        return x.flatten(1).MoveToOuterDisposeScope();

        Tensor Next(Tensor input)
        {
            using var before = input;
            return Relu(() => apply(layer++, before));
        }
    }

    /// <summary>
    /// Adaptive average pooling of rows or columns: output i is the mean from ⌊i·n/7⌋ to ⌈(i+1)·n/7⌉. libtorch's own adds its gradient up
    /// in no fixed order on a GPU.
    /// </summary>
    private static Tensor Pool(Tensor x, int dimension)
    {
        var side = (int)x.shape[dimension];
        if (side == PooledSide) return x;
        using var scope = NewDisposeScope();
        var parts = Enumerable.Range(0, PooledSide).Select(i =>
        {
            var start = i * side / PooledSide;
            var end = (((i + 1) * side) + PooledSide - 1) / PooledSide;
            return x.narrow(dimension, start, end - start).mean([dimension]);
        });
        return stack(parts, dimension).MoveToOuterDisposeScope();
    }

    private static List<Layer> Build(double width)
    {
        var layers = new List<Layer>();
        var current = 3;
        var place = 0; // in torchvision's list of modules: a convolution, its batch norm, a ReLU; a pooling after each stage
        foreach (var stage in Stages)
        {
            foreach (var channels in stage.Select(channels => ScaleChannels(channels, width)))
            {
                var (name, norm) = ($"features.{place}", $"features.{place + 1}");
                layers.Add(new Convolution(name, norm, current, channels, kernel: 3, stride: 1) { HasBias = true });
                current = channels;
                place += 3;
            }
            place++;
        }
        var hidden = ScaleChannels(Hidden, width);
        layers.Add(new Linear("classifier.0", current * PooledSide * PooledSide, hidden));
        layers.Add(new Linear("classifier.3", hidden, hidden));
        return layers;
    }
}
