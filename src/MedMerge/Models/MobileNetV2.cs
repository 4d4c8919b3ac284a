using MedMerge.Models.Graphs;
using MedMerge.Models.Layers;

namespace MedMerge.Models;

/// <summary>
/// MobileNetV2 (Sandler et al. 2018, table 2) under torchvision's names: blocks of a 1×1 convolution that makes channels more, a depthwise
/// 3×3 one, and a 1×1 one that makes them few again, which no activation follows. Without torchvision's dropout before the head.
/// </summary>
/// <remarks>
/// The width multiplies every layer's channels, as everywhere here; torchvision's own <c>width_mult</c> rounds them to multiples of 8 and
/// never narrows the last layer. Both are the same network at 1.
/// </remarks>
internal sealed class MobileNetV2 : Architecture
{
    private const int StemChannels = 32, LastChannels = 1280;

    /// <summary>Of each stage, as in the paper's table: expansion t, channels c, blocks n, stride s of the first block.</summary>
    private static readonly (int Expansion, int Channels, int Blocks, int Stride)[] Stages =
    [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ];

    /// <param name="width">Multiplies every layer's channels.</param>
    public MobileNetV2(double width)
        : base("mobilenet_v2", width, "classifier.1", Build(width))
    {
    }

    /// <inheritdoc />
    public override PyTorchCode? PyTorch => Width == 1 ? PyTorchCode.Torchvision(Name) : null;

    /// <inheritdoc />
    protected override void Build(GraphBuilder graph)
    {
        var x = LayerRelu6(graph, 0, graph.Images);
        var layer = 1;
        while (layer < Layers.Count - 1)
        {
            var input = x;
            var isExpanded = !IsDepthwise(layer);
            var expanded = isExpanded ? LayerRelu6(graph, layer, input) : input;
            var depthwise = isExpanded ? layer + 1 : layer;
            x = graph.Layer(depthwise + 1, LayerRelu6(graph, depthwise, expanded));
            if (HasShortcut(layer, depthwise)) x = graph.Then(new Add(), x, input);
            layer = depthwise + 2;
        }
        graph.Then(new GlobalAveragePool(), LayerRelu6(graph, layer, x));
    }

    private static Value LayerRelu6(GraphBuilder graph, int layer, Value input) =>
        graph.Then(new Relu(Limit: 6), graph.Layer(layer, input));

    private bool IsDepthwise(int layer) => ((Convolution)Layers[layer]).Groups > 1;

    /// <summary>Whether a block from <paramref name="first"/> to the layer behind <paramref name="depthwise"/> adds its input.</summary>
    private bool HasShortcut(int first, int depthwise) =>
        ((Convolution)Layers[depthwise]).Stride == 1 && ((Convolution)Layers[first]).In == Layers[depthwise + 1].Out;

    private static List<Layer> Build(double width)
    {
        var current = ScaleChannels(StemChannels, width);
        var layers = new List<Layer> { new Convolution("features.0.0", "features.0.1", 3, current, kernel: 3, stride: 2) };
        var block = 1;
        foreach (var (expansion, channels, blocks, firstStride) in Stages)
        {
            var outputs = ScaleChannels(channels, width);
            for (var i = 0; i < blocks; i++)
            {
                layers.AddRange(BuildBlock($"features.{block++}.conv", current, outputs, expansion, i == 0 ? firstStride : 1));
                current = outputs;
            }
        }
        var last = $"features.{block}";
        layers.Add(new Convolution($"{last}.0", $"{last}.1", current, ScaleChannels(LastChannels, width), kernel: 1, stride: 1));
        return layers;
    }

    private static List<Layer> BuildBlock(string name, int inputs, int outputs, int expansion, int stride)
    {
        var layers = new List<Layer>();
        var inner = expansion * inputs;
        var place = 0; // in torchvision's list of modules
        if (expansion > 1)
        {
            layers.Add(new Convolution($"{name}.0.0", $"{name}.0.1", inputs, inner, kernel: 1, stride: 1));
            place++;
        }
        layers.Add(new Convolution($"{name}.{place}.0", $"{name}.{place}.1", inner, inner, kernel: 3, stride) { Groups = inner });
        layers.Add(new Convolution($"{name}.{place + 1}", $"{name}.{place + 2}", inner, outputs, kernel: 1, stride: 1));
        return layers;
    }
}
