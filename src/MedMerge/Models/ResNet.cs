using MedMerge.Models.Graphs;
using MedMerge.Models.Layers;

namespace MedMerge.Models;

/// <summary>
/// The ResNets for large images of He et al. 2015, table 1, under torchvision's names. Blocks have two 3×3 convolutions (basic), or three
/// (bottleneck: 1×1, 3×3, 1×1), of which the last has four times the stage's channels. As in torchvision the 3×3 convolution has a
/// bottleneck's stride.
/// </summary>
internal sealed class ResNet : Architecture
{
    private static readonly int[] StageChannels = [64, 128, 256, 512];
    private readonly bool _hasSmallStem;
    private readonly int _blockLayers;

    private ResNet(string name, IReadOnlyList<int> blocks, bool isBottleneck, bool hasSmallStem, double width)
        : base(name, width, "fc", Build(blocks, isBottleneck, hasSmallStem, width))
    {
        _hasSmallStem = hasSmallStem;
        _blockLayers = isBottleneck ? 3 : 2;
    }

    /// <inheritdoc />
    /// <remarks>MedMNIST's own ResNet-18 uses them.</remarks>
    public override IReadOnlyList<KeyAlias> KeyAliases { get; } = [new(".downsample.", ".shortcut."), new("fc.", "linear.")];

    /// <inheritdoc />
    public override PyTorchCode? PyTorch => Width != 1 ? null : _hasSmallStem
        ? PyTorchCode.Torchvision(
            "resnet18",
            "model.conv1 = torch.nn.Conv2d(3, 64, 3, padding=1, bias=False)",
            "model.maxpool = torch.nn.Identity()")
        : PyTorchCode.Torchvision(Name);

    /// <summary>ResNet-18.</summary>
    public static ResNet Create18(double width) => new("resnet18", [2, 2, 2, 2], isBottleneck: false, hasSmallStem: false, width);

    /// <summary>ResNet-18 with the 3×3 stem without pooling that MedMNIST uses at 28 pixels.</summary>
    public static ResNet Create18SmallStem(double width) =>
        new("resnet18-3x3", [2, 2, 2, 2], isBottleneck: false, hasSmallStem: true, width);

    /// <summary>ResNet-34.</summary>
    public static ResNet Create34(double width) => new("resnet34", [3, 4, 6, 3], isBottleneck: false, hasSmallStem: false, width);

    /// <summary>ResNet-50.</summary>
    public static ResNet Create50(double width) => new("resnet50", [3, 4, 6, 3], isBottleneck: true, hasSmallStem: false, width);

    /// <inheritdoc />
    protected override void Build(GraphBuilder graph)
    {
        var x = graph.LayerRelu(0, graph.Images);
        if (!_hasSmallStem) x = graph.Then(new MaxPool(Side: 3, Stride: 2, Padding: 1), x);
        var layer = 1;
        while (layer < Layers.Count)
        {
            var first = layer;
            var last = first + _blockLayers - 1;
            layer = last + 1;
            var shortcut = layer < Layers.Count && IsShortcut(Layers[layer]) ? graph.Layer(layer++, x) : x;
            for (var inner = first; inner < last; inner++) x = graph.LayerRelu(inner, x);
            x = graph.Then(new Relu(), graph.Then(new Add(), graph.Layer(last, x), shortcut));
        }
        graph.Then(new GlobalAveragePool(), x);
    }

    private static bool IsShortcut(Layer layer) => layer.Name.EndsWith("downsample.0", StringComparison.Ordinal);

    private static List<Layer> Build(IReadOnlyList<int> blocks, bool isBottleneck, bool hasSmallStem, double width)
    {
        var channels = StageChannels.Select(c => ScaleChannels(c, width)).ToArray();
        var (stemKernel, stemStride) = hasSmallStem ? (3, 1) : (7, 2);
        var layers = new List<Layer> { new Convolution("conv1", "bn1", 3, channels[0], stemKernel, stemStride) };
        var current = channels[0];
        for (var stage = 0; stage < channels.Length; stage++)
        {
            var outputs = isBottleneck ? 4 * channels[stage] : channels[stage];
            for (var block = 0; block < blocks[stage]; block++)
            {
                var stride = stage > 0 && block == 0 ? 2 : 1;
                var name = $"layer{stage + 1}.{block}";
                layers.AddRange(isBottleneck
                    ? BuildBottleneck(name, current, channels[stage], outputs, stride)
                    : BuildBasic(name, current, outputs, stride));
                if (stride != 1 || current != outputs)
                    layers.Add(new Convolution($"{name}.downsample.0", $"{name}.downsample.1", current, outputs, kernel: 1, stride));
                current = outputs;
            }
        }
        return layers;
    }

    private static Layer[] BuildBasic(string name, int inputs, int outputs, int stride) =>
    [
        new Convolution($"{name}.conv1", $"{name}.bn1", inputs, outputs, kernel: 3, stride),
        new Convolution($"{name}.conv2", $"{name}.bn2", outputs, outputs, kernel: 3, stride: 1),
    ];

    private static Layer[] BuildBottleneck(string name, int inputs, int inner, int outputs, int stride) =>
    [
        new Convolution($"{name}.conv1", $"{name}.bn1", inputs, inner, kernel: 1, stride: 1),
        new Convolution($"{name}.conv2", $"{name}.bn2", inner, inner, kernel: 3, stride),
        new Convolution($"{name}.conv3", $"{name}.bn3", inner, outputs, kernel: 1, stride: 1),
    ];
}
