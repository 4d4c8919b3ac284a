using MedMerge.Models.Graphs;
using MedMerge.Models.Layers;

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
    public override PyTorchCode? PyTorch => PyTorchCode.CifarNetwork;

    /// <inheritdoc />
    public override IReadOnlyList<KeyAlias> KeyAliases { get; } = [new("linear.", "fc.")];

    /// <inheritdoc />
    protected override void Build(GraphBuilder graph)
    {
        var x = graph.LayerRelu(0, graph.Images);
        for (var first = 1; first < Layers.Count; first += 2)
        {
            var inner = graph.LayerRelu(first, x);
            var residual = graph.Layer(first + 1, inner);
            x = graph.Then(new Relu(), graph.Then(new Add(), residual, Shortcut(graph, x, (Convolution)Layers[first])));
        }
        graph.Then(new GlobalAveragePool(), x);
    }

    private static Value Shortcut(GraphBuilder graph, Value x, Convolution layer)
    {
        var added = layer.Out - layer.In;
        return added == 0 ? x : graph.Then(new PaddedShortcut(layer.Stride, Before: added / 2, Behind: added - (added / 2)), x);
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
