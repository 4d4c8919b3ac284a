using MedMerge.Models;
using MedMerge.Models.Graphs;
using MedMerge.Models.Layers;

namespace MedMerge.Tests.Models;

/// <summary>
/// A small network with everything that a list of convolutions each with its batch norm is not: normalisations without a convolution
/// before them (of the images, of concatenated features, after pooling), and convolutions without a normalisation behind them. Built like
/// a DenseNet (Huang et al. 2017) of two dense layers and a transition.
/// </summary>
internal sealed class PreActivationNet() : Architecture("preactivation", width: 1, "classifier", Build())
{
    private const int Growth = 4;

    /// <summary>One of the registered architectures, or this one.</summary>
    public static Architecture Create(string name, double width) =>
        name == "preactivation" ? new PreActivationNet() : Architectures.Create(name, width);

    public override int MinSide => 3;

    protected override void Build(GraphBuilder graph)
    {
        var layer = 0;
        var x = graph.Layer(layer++, graph.Images);
        x = graph.Then(new MaxPool(Side: 3, Stride: 2, Padding: 1), graph.LayerRelu(layer++, x));
        for (var dense = 0; dense < 2; dense++)
        {
            var narrow = graph.Layer(layer + 1, graph.Then(new Relu(), graph.Layer(layer, x)));
            x = graph.Then(new Concatenation(), x, graph.Layer(layer + 2, graph.Then(new Relu(), narrow)));
            layer += 3;
        }
        x = graph.Then(new AveragePool(Side: 2), graph.Layer(layer + 1, graph.LayerRelu(layer, x)));
        graph.Then(new GlobalAveragePool(), graph.LayerRelu(layer + 2, x));
    }

    private static List<Layer> Build()
    {
        var layers = new List<Layer>
        {
            new Normalisation("features.norm_in", 3),
            new Convolution("features.conv0", "features.norm0", 3, 8, kernel: 3, stride: 1),
        };
        var channels = 8;
        for (var dense = 1; dense <= 2; dense++)
        {
            var name = $"features.denselayer{dense}";
            layers.Add(new Normalisation($"{name}.norm1", channels));
            layers.Add(new Convolution($"{name}.conv1", $"{name}.norm2", channels, 6, kernel: 1, stride: 1));
            layers.Add(new Convolution($"{name}.conv2", batchNorm: null, 6, Growth, kernel: 3, stride: 1));
            channels += Growth;
        }
        layers.Add(new Normalisation("features.transition.norm", channels));
        layers.Add(new Convolution("features.transition.conv", batchNorm: null, channels, 10, kernel: 1, stride: 1));
        layers.Add(new Normalisation("features.norm5", 10));
        return layers;
    }
}
