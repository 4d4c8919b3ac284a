using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Models.Graphs;
using MedMerge.Models.Layers;
using MedMerge.Models.Onnx;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Tests.Models.Onnx;

/// <summary>
/// A model as PyTorch's exporter writes it: batch norm folded into the convolution before it, tensors numbered, branches in the order of
/// the forward pass, all features of a dense block in one concatenation, linear layers as a product and a sum.
/// </summary>
internal sealed class FoldedOnnx
{
    private readonly Architecture _architecture;
    private readonly StateDict _model;
    private readonly OnnxGraphWriter _writer = new();
    private readonly Dictionary<int, string[]> _values = new() { [0] = ["images"] };
    private int _count;

    private FoldedOnnx(Architecture architecture, StateDict model)
    {
        _architecture = architecture;
        _model = model;
    }

    /// <summary>Added to the ε of the batch norms that can't be folded, and taken from their variances.</summary>
    public double Epsilon { get; init; }

    public static byte[] Write(Architecture architecture, StateDict model, double epsilon = 0)
    {
        using var scope = NewDisposeScope();
        return new FoldedOnnx(architecture, model) { Epsilon = epsilon }.Write();
    }

    private byte[] Write()
    {
        Visit(_architecture.Graph.Nodes.Count);
        var features = Single(_architecture.Graph.Nodes.Count);
        AddProduct(features, _model[_architecture.Classifier + ".weight"], _model[_architecture.Classifier + ".bias"]);
        return _writer.Finish("main_graph", ("images", ["n", "3", "h", "w"]), ("logits", ["n", "c"]), new Dictionary<string, string>())
            .ToArray();
    }

    /// <summary>Writes a value's operation, those that it needs before it.</summary>
    private void Visit(int value)
    {
        if (_values.ContainsKey(value)) return;
        var node = _architecture.Graph.Nodes[value - 1];
        foreach (var input in node.Inputs) Visit(input);
        _values[value] = node.Operation switch
        {
            Concatenation => [.. node.Inputs.SelectMany(input => _values[input])],
            LayerOperation layer => [AddLayer(_architecture.Layers[layer.Index], Single(node.Inputs[0]))],
            var other => [_writer.Add(other.GetType().Name, NextName("value"), [.. node.Inputs.Select(Single)])],
        };
    }

    private string Single(int value) => _values[value] is [var single]
        ? single
        : _writer.Add("Concat", NextName("value"), _values[value], OnnxArgument.Of("axis", 1));

    private string AddLayer(Layer layer, string input)
    {
        switch (layer)
        {
            case Convolution convolution:
                var (kernel, bias, _) = LayerForms.Prepare(convolution, BatchNormPolicy.Fold, _model);
                List<string> inputs = [input, AddTensor(kernel)];
                if (convolution.Norm is not null) inputs.Add(AddTensor(bias));
                return _writer.Add(
                    "Conv",
                    NextName("Conv"),
                    inputs,
                    OnnxArgument.Of("group", convolution.Groups),
                    OnnxArgument.Of("pads", [.. Enumerable.Repeat((long)convolution.Padding, 4)]),
                    OnnxArgument.Of("strides", convolution.Stride, convolution.Stride));
            case Normalisation { Norm: { } norm }:
                var variance = _model[norm.Variance] - Epsilon;
                return _writer.Add(
                    "BatchNormalization",
                    NextName("Norm"),
                    [input, .. new[] { _model[norm.Scale], _model[norm.Shift], _model[norm.Mean], variance }.Select(AddTensor)],
                    OnnxArgument.Of("epsilon", (float)(BatchNorm.Epsilon + Epsilon)));
            default:
                var (weight, shift, _) = LayerForms.Prepare(layer, BatchNormPolicy.Fold, _model);
                return AddProduct(input, weight, shift);
        }
    }

    private string AddProduct(string input, Tensor weight, Tensor bias)
    {
        var product = _writer.Add("MatMul", NextName("MatMul"), [input, AddTensor(weight.t())]);
        return _writer.Add("Add", NextName("Add"), [AddTensor(bias), product]);
    }

    private string AddTensor(Tensor tensor)
    {
        var values = tensor.to(ScalarType.Float32).contiguous();
        return _writer.AddTensor(NextName("onnx::"), values.shape, values.bytes.ToArray());
    }

    private string NextName(string kind) => $"{kind}_{_count++}";
}
