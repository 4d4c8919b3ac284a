using MedMerge.Models.Graphs;
using MedMerge.Models.Layers;

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
    public override PyTorchCode? PyTorch => Width == 1 ? PyTorchCode.Torchvision(Name) : null;

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
    protected override void Build(GraphBuilder graph)
    {
        var x = graph.Then(new MaxPool(Side: 3, Stride: 2, Padding: 1), graph.LayerRelu(0, graph.Images));
        var layer = 1;
        for (var block = 0; block < Blocks.Length; block++)
        {
            for (var i = 0; i < Blocks[block]; i++)
            {
                var few = graph.LayerRelu(layer + 1, graph.LayerRelu(layer, x));
                x = graph.Then(new Concatenation(), x, graph.Layer(layer + 2, few));
                layer += 3;
            }
            if (block == Blocks.Length - 1) break;
            x = graph.Then(new AveragePool(Side: 2), graph.Layer(layer + 1, graph.LayerRelu(layer, x)));
            layer += 2;
        }
        graph.Then(new GlobalAveragePool(), graph.LayerRelu(layer, x));
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
