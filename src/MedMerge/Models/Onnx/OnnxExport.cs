using System.Globalization;
using MedMerge.Models.Graphs;
using MedMerge.Models.Layers;
using MedMerge.Tensors;
using MedMerge.Tensors.Onnx;
using static TorchSharp.torch;

namespace MedMerge.Models.Onnx;

/// <summary>
/// Writes a model as ONNX, from normalised images to logits: each operation of the architecture's graph as one of ONNX, tensors under the
/// names of the state dictionary. Batch norm stays an operation of its own, so a reader gets the same tensors back.
/// </summary>
internal sealed class OnnxExport
{
    private const string Images = "images", Logits = "logits";

    private readonly Architecture _architecture;
    private readonly StateDict _model;
    private readonly OnnxGraphWriter _writer = new();

    private OnnxExport(Architecture architecture, StateDict model)
    {
        _architecture = architecture;
        _model = model;
    }

    /// <summary>Whether the architecture's graph depends on the size of its images.</summary>
    public static bool NeedsSize(Architecture architecture) =>
        architecture.Graph.Nodes.Any(node => node.Operation is AdaptiveAveragePool);

    /// <summary>The ONNX file.</summary>
    /// <param name="model">Under the architecture's names, with a classifier.</param>
    /// <param name="size">
    /// Height and width of the images that it takes, for an architecture that <see cref="NeedsSize"/>; others take any.
    /// </param>
    /// <param name="metadata">As <see cref="ModelMetadata"/> gives them.</param>
    public static ProtobufMessage Write(
        Architecture architecture,
        StateDict model,
        (int Height, int Width)? size,
        IReadOnlyDictionary<string, string> metadata) => new OnnxExport(architecture, model).Write(size, metadata);

    private ProtobufMessage Write((int Height, int Width)? size, IReadOnlyDictionary<string, string> metadata)
    {
        var isFixed = NeedsSize(_architecture);
        if (isFixed && size is null) throw new ArgumentNullException(nameof(size));
        var values = new List<(string Name, int Height, int Width)> { (Images, size?.Height ?? 0, size?.Width ?? 0) };
        foreach (var (index, node) in _architecture.Graph.Nodes.Index())
        {
            var (_, height, width) = values[node.Inputs[0]];
            var operation = node.Operation;
            var inputs = node.Inputs.Select(input => values[input].Name).ToArray();
            var name = operation is LayerOperation layer ? _architecture.Layers[layer.Index].Name : $"{operation.GetType().Name}.{index}";
            values.Add((
                operation is AdaptiveAveragePool pool
                    ? AddPool(name, AddPool(name, inputs[0], axis: 2, height, pool.Side), axis: 3, width, pool.Side)
                    : Add(operation, name, inputs),
                Shrink(operation, height),
                Shrink(operation, width)));
        }
        AddGemm(Logits, values[^1].Name, _architecture.Classifier);

        string[] sides = isFixed
            ? [.. new[] { size!.Value.Height, size.Value.Width }.Select(side => side.ToString(CultureInfo.InvariantCulture))]
            : ["height", "width"];
        var classes = _model[_architecture.Classifier + ".bias"].shape[0].ToString(CultureInfo.InvariantCulture);
        return _writer.Finish(
            _architecture.Name,
            (Images, ["batch", "3", .. sides]),
            (Logits, ["batch", classes]),
            metadata);
    }

    /// <returns>The name of the operation's output.</returns>
    private string Add(Operation operation, string name, string[] inputs) => operation switch
    {
        LayerOperation layer => AddLayer(_architecture.Layers[layer.Index], inputs[0]),
        Relu { Limit: null } => _writer.Add(OnnxOperations.Relu, name, inputs),
        Relu { Limit: { } limit } =>
            _writer.Add(OnnxOperations.Clip, name, [inputs[0], _writer.AddConstant(0f), _writer.AddConstant((float)limit)]),
        Graphs.Add => _writer.Add(OnnxOperations.Add, name, inputs),
        Concatenation => _writer.Add(OnnxOperations.Concat, name, inputs, OnnxArgument.Of("axis", 1)),
        MaxPool pool => _writer.Add(OnnxOperations.MaxPool, name, inputs, DescribeWindow(pool.Side, pool.Stride, pool.Padding)),
        AveragePool pool => _writer.Add(OnnxOperations.AveragePool, name, inputs, DescribeWindow(pool.Side, pool.Side, padding: 0)),
        GlobalAveragePool => AddFlatten(name, _writer.Add(OnnxOperations.GlobalAveragePool, $"{name}.mean", inputs)),
        Flatten => AddFlatten(name, inputs[0]),
        PaddedShortcut shortcut => AddShortcut(shortcut, name, inputs[0]),
        _ => throw new NotSupportedException($"The operation {operation} can't be written as ONNX."),
    };

    private string AddLayer(Layer layer, string input)
    {
        switch (layer)
        {
            case Convolution convolution:
                List<string> inputs = [input, AddTensor($"{layer.Name}.weight")];
                if (convolution.HasBias) inputs.Add(AddTensor($"{layer.Name}.bias"));
                var window = DescribeWindow(convolution.Kernel, convolution.Stride, convolution.Padding);
                var groups = OnnxArgument.Of("group", convolution.Groups);
                var output = _writer.Add(OnnxOperations.Conv, layer.Name, inputs, [.. window, groups]);
                return layer.Norm is { } norm ? AddNorm(norm, output) : output;
            case Normalisation normalisation:
                return AddNorm(normalisation.Norm!, input);
            case Linear:
                return AddGemm(layer.Name, AddFlatten($"{layer.Name}.input", input), layer.Name);
            default:
                throw new NotSupportedException($"The layer {layer} can't be written as ONNX.");
        }
    }

    private string AddNorm(BatchNorm norm, string input) => _writer.Add(
        OnnxOperations.BatchNormalization,
        norm.Name,
        [input, AddTensor(norm.Scale), AddTensor(norm.Shift), AddTensor(norm.Mean), AddTensor(norm.Variance)],
        OnnxArgument.Of("epsilon", (float)BatchNorm.Epsilon));

    private string AddGemm(string output, string input, string layer) => _writer.Add(
        OnnxOperations.Gemm,
        output,
        [input, AddTensor($"{layer}.weight"), AddTensor($"{layer}.bias")],
        OnnxArgument.Of("transB", 1));

    private string AddFlatten(string name, string input) => _writer.Add(OnnxOperations.Flatten, name, [input], OnnxArgument.Of("axis", 1));

    private string AddShortcut(PaddedShortcut shortcut, string name, string input)
    {
        var sampled = _writer.Add(OnnxOperations.Slice, $"{name}.sampled", [
            input,
            _writer.AddConstant(0, 0),
            _writer.AddConstant(int.MaxValue, int.MaxValue),
            _writer.AddConstant(2, 3),
            _writer.AddConstant(shortcut.Stride, shortcut.Stride),
        ]);
        return _writer.Add(OnnxOperations.Pad, name, [sampled, _writer.AddConstant(0, shortcut.Before, 0, 0, 0, shortcut.Behind, 0, 0)]);
    }

    /// <summary>ONNX has no adaptive pooling: each part's mean, put together again.</summary>
    private string AddPool(string name, string input, int axis, int size, int side)
    {
        if (size == side) return input;
        var parts = new List<string>();
        for (var i = 0; i < side; i++)
        {
            var (start, end) = AdaptiveAveragePool.FindPart(i, side, size);
            var part = $"{name}.{axis}.{i}";
            string[] range = [input, _writer.AddConstant([start]), _writer.AddConstant([end]), _writer.AddConstant([axis])];
            var pixels = _writer.Add(OnnxOperations.Slice, $"{part}.pixels", range);
            parts.Add(_writer.Add(OnnxOperations.ReduceMean, part, [pixels], OnnxArgument.Of("axes", (long[])[axis])));
        }
        return _writer.Add(OnnxOperations.Concat, axis == 3 ? name : $"{name}.{axis}", parts, OnnxArgument.Of("axis", axis));
    }

    private static OnnxArgument[] DescribeWindow(int side, int stride, int padding) =>
    [
        OnnxArgument.Of("kernel_shape", (long[])[side, side]),
        OnnxArgument.Of("strides", (long[])[stride, stride]),
        OnnxArgument.Of("pads", (long[])[padding, padding, padding, padding]),
    ];

    /// <summary>A side's pixels after an operation.</summary>
    private int Shrink(Operation operation, int side) => operation switch
    {
        LayerOperation layer when _architecture.Layers[layer.Index] is Convolution convolution =>
            Shrink(side, convolution.Kernel, convolution.Stride, convolution.Padding),
        MaxPool pool => Shrink(side, pool.Side, pool.Stride, pool.Padding),
        AveragePool pool => side / pool.Side,
        AdaptiveAveragePool pool => pool.Side,
        _ => side,
    };

    private static int Shrink(int side, int kernel, int stride, int padding) => ((side + (2 * padding) - kernel) / stride) + 1;

    private string AddTensor(string name)
    {
        using var scope = NewDisposeScope();
        var tensor = _model[name].to(ScalarType.Float32).contiguous();
        return _writer.AddTensor(name, tensor.shape, tensor.bytes.ToArray());
    }
}
