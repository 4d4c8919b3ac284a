using MedMerge.Models.Graphs;
using MedMerge.Models.Layers;

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
    public override PyTorchCode? PyTorch => Width == 1 ? PyTorchCode.Torchvision(Name) : null;

    /// <inheritdoc />
    /// <remarks>It is halved five times.</remarks>
    public override int MinSide => 32;

    /// <inheritdoc />
    protected override void Build(GraphBuilder graph)
    {
        var x = graph.Images;
        var layer = 0;
        foreach (var stage in Stages)
        {
            foreach (var _ in stage) x = graph.LayerRelu(layer++, x);
            x = graph.Then(new MaxPool(Side: 2, Stride: 2, Padding: 0), x);
        }
        x = graph.Then(new AdaptiveAveragePool(PooledSide), x);
        while (layer < Layers.Count) x = graph.LayerRelu(layer++, x);
        graph.Then(new Flatten(), x);
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
