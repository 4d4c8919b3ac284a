using System.Numerics;
using MedMerge.Models.Graphs;

namespace MedMerge.Models.Onnx;

/// <summary>
/// From which layers each layer's input comes, with nothing but operations without parameters between them. It is the same however a graph
/// orders its branches, and whatever operations stand for an addition or a concatenation.
/// </summary>
internal sealed class LayerSources
{
    private readonly BigInteger[] _layers;

    public LayerSources(Architecture architecture)
    {
        _layers = new BigInteger[architecture.Layers.Count];
        var values = new List<BigInteger> { BigInteger.Zero };
        foreach (var node in architecture.Graph.Nodes)
        {
            var sources = node.Inputs.Aggregate(BigInteger.Zero, (all, input) => all | values[input]);
            if (node.Operation is LayerOperation layer)
            {
                _layers[layer.Index] = sources;
                sources = Of(layer.Index);
            }
            values.Add(sources);
        }
        Features = values[^1];
    }

    /// <summary>Those of the features, which the classifier sees.</summary>
    public BigInteger Features { get; }

    /// <summary>Those of a layer's input: bit l stands for layer l.</summary>
    public BigInteger this[int layer] => _layers[layer];

    /// <summary>Those of a layer's output: the layer alone.</summary>
    public static BigInteger Of(int layer) => BigInteger.One << layer;
}
