using System.Numerics;
using MedMerge.Models.Layers;
using MedMerge.Tensors;
using MedMerge.Tensors.Onnx;

namespace MedMerge.Models.Onnx;

/// <summary>
/// Finds an architecture's layers in an ONNX graph where its tensors have other names: exporters fold batch norm into convolutions, and
/// name what comes of it as they like. A layer is found by its kind, its shape and stride, and the layers that its input comes from.
/// </summary>
internal sealed class OnnxLayers
{
    /// <summary>Two ε that differ less are one, written as float32.</summary>
    private const double SameEpsilon = 1e-9;

    private readonly Architecture _architecture;
    private readonly ModelFile _file;
    private readonly LayerSources _wanted;
    private readonly HashSet<int> _found = [];
    private readonly Dictionary<string, BigInteger> _sources = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Convolution> _bareConvolutions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Name, int Outputs)> _products = new(StringComparer.Ordinal);
    private readonly OrderedDictionary<string, StoredTensor> _tensors = new(StringComparer.Ordinal);

    private OnnxLayers(Architecture architecture, ModelFile file)
    {
        _architecture = architecture;
        _file = file;
        _wanted = new LayerSources(architecture);
    }

    /// <summary>
    /// The file's tensors under the architecture's names. A folded convolution is a batch norm's that computes its bias; a batch norm with
    /// another ε has its variance shifted.
    /// </summary>
    /// <exception cref="InputException">The first operation that fits no layer in its place.</exception>
    /// <param name="origin">What messages call the file.</param>
    public static ModelFile Rename(Architecture architecture, ModelFile file, string origin)
    {
        var layers = new OnnxLayers(architecture, file);
        try
        {
            foreach (var node in file.Nodes) layers.Take(node);
        }
        catch (FormatException error)
        {
            throw new InputException($"{origin} is not a {architecture.Title}: {error.Message}.", error);
        }
        layers.AddFolded();
        return file.WithTensors(layers._tensors.Values);
    }

    /// <summary>Whether every batch norm of an ONNX graph has the ε that networks here have, so that names are enough.</summary>
    public static bool HaveUsualEpsilon(ModelFile file) =>
        file.Nodes.Where(node => node.Type == OnnxOperations.BatchNormalization).All(node => ComputeShift(node) == 0);

    /// <summary>The weights of the first convolution; null if there is none.</summary>
    public static StoredTensor? FindStem(ModelFile file) =>
        file.Nodes.FirstOrDefault(node => node.Type == OnnxOperations.Conv) is { } stem ? file.Find(stem.Input(1)) : null;

    private static double ComputeShift(OnnxNode node)
    {
        var shift = node.Number("epsilon", (float)BatchNorm.Epsilon) - BatchNorm.Epsilon;
        return Math.Abs(shift) < SameEpsilon ? 0 : shift;
    }

    private void Take(OnnxNode node)
    {
        var sources = node.Inputs.Aggregate(BigInteger.Zero, (all, input) => all | _sources.GetValueOrDefault(input));
        sources = node.Type switch
        {
            OnnxOperations.Conv => TakeConvolution(node, sources),
            OnnxOperations.BatchNormalization => TakeNorm(node, sources),
            OnnxOperations.Gemm or OnnxOperations.MatMul => TakeProduct(node, sources),
            OnnxOperations.Add => TakeSum(node, sources),
            _ => sources,
        };
        foreach (var output in node.Outputs) _sources[output] = sources;
    }

    private BigInteger TakeConvolution(OnnxNode node, BigInteger sources)
    {
        var kernel = GetTensor(node, 1);
        var (stride, padding) = (node.Integer("strides", 1), node.Integer("pads", 0));
        var isPlain = node.Integer("dilations", 1) == 1;
        if (FindLayer<Convolution>(kernel.Shape, sources, Fits) is not { } index)
            return Skip(node, kernel, sources, $", stride {stride}, padding {padding}");
        var convolution = (Convolution)_architecture.Layers[index];
        Add(convolution.Name + ".weight", kernel);
        var bias = node.Input(2).Length > 0 ? GetTensor(node, 2) : null;
        if (bias is not null) Add(convolution.Name + ".bias", bias);
        foreach (var output in node.Outputs) _bareConvolutions[output] = convolution;
        return LayerSources.Of(index);

        bool Fits(Convolution layer) =>
            isPlain && layer.Stride == stride && layer.Padding == padding && layer.Groups == node.Integer("group", 1);
    }

    private BigInteger TakeNorm(OnnxNode node, BigInteger sources)
    {
        var scale = GetTensor(node, 1);
        var index = -1;
        BatchNorm norm;
        if (_bareConvolutions.Remove(node.Input(0), out var convolution) && convolution.Norm is { } own)
        {
            norm = own;
        }
        else if (FindLayer<Normalisation>(scale.Shape, sources, _ => true) is { } lone)
        {
            index = lone;
            norm = _architecture.Layers[lone].Norm!;
        }
        else
        {
            return Skip(node, scale, sources);
        }
        Add(norm.Scale, scale);
        Add(norm.Shift, GetTensor(node, 2));
        Add(norm.Mean, GetTensor(node, 3));
        var (variance, shift) = (GetTensor(node, 4), ComputeShift(node));
        Add(norm.Variance, shift == 0 ? variance : DerivedTensors.Shift(variance, shift));
        return index < 0 ? sources : LayerSources.Of(index);
    }

    private BigInteger TakeProduct(OnnxNode node, BigInteger sources)
    {
        if (_file.Find(node.Input(1)) is not { } stored) return sources; // of two computed values
        var isTransposed = node.Type == OnnxOperations.Gemm && node.Integer("transB", 0) == 1;
        var weight = isTransposed ? stored : DerivedTensors.Transpose(stored);
        var index = FindLayer<Linear>(weight.Shape, sources, _ => true);
        var isClassifier = index is null
            && sources == _wanted.Features
            && weight.Shape is [_, var features] && features == _architecture.Features
            && !_tensors.ContainsKey(_architecture.Classifier + ".weight");
        if (index is null && !isClassifier) return Skip(node, weight, sources);
        if (node.Number("alpha", 1) != 1 || node.Number("beta", 1) != 1 || node.Integer("transA", 0) != 0)
            throw new FormatException($"its {node.Title} scales or transposes what it multiplies, which is not read");
        var name = index is { } found ? _architecture.Layers[found].Name : _architecture.Classifier;
        Add(name + ".weight", weight);
        if (node.Input(2).Length > 0) Add(name + ".bias", GetTensor(node, 2));
        else foreach (var output in node.Outputs) _products[output] = (name, (int)weight.Shape[0]);
        return index is { } layer ? LayerSources.Of(layer) : sources;
    }

    /// <summary>A bias behind a product without one.</summary>
    private BigInteger TakeSum(OnnxNode node, BigInteger sources)
    {
        for (var place = 0; place < node.Inputs.Count; place++)
        {
            var other = node.Input(1 - place);
            if (_products.TryGetValue(node.Input(place), out var product)
                && _file.Find(other) is { Shape: [var length] } bias && length == product.Outputs)
            {
                _products.Remove(node.Input(place));
                Add(product.Name + ".bias", bias);
            }
        }
        return sources;
    }

    /// <summary>Goes on behind an operation that is no layer here: one of a head, once all layers are found.</summary>
    private BigInteger Skip(OnnxNode node, StoredTensor weights, BigInteger sources, string more = "")
    {
        if (_found.Count == _architecture.Layers.Count) return sources;
        var shape = string.Join(", ", weights.Shape);
        throw new FormatException($"its {node.Title} with weights [{shape}]{more} fits no layer in its place");
    }

    private int? FindLayer<T>(IReadOnlyList<long> shape, BigInteger sources, Func<T, bool> fits) where T : Layer
    {
        for (var l = 0; l < _architecture.Layers.Count; l++)
        {
            if (_architecture.Layers[l] is T layer && layer.Shape.SequenceEqual(shape)
                && _wanted[l] == sources && fits(layer) && _found.Add(l))
            {
                return l;
            }
        }
        return null;
    }

    private StoredTensor GetTensor(OnnxNode node, int input) => _file.Find(node.Input(input))
        ?? throw new FormatException($"its {node.Title} computes its weights '{node.Input(input)}' instead of storing them");

    private void Add(string name, StoredTensor tensor) => _tensors[name] = tensor with { Name = name };

    /// <summary>Completes what exporters leave out: a folded batch norm, and a bias of zeros.</summary>
    private void AddFolded()
    {
        foreach (var convolution in _architecture.Layers.OfType<Convolution>().Where(layer => _tensors.ContainsKey(layer.Name + ".weight")))
        {
            var bias = _tensors.GetValueOrDefault(convolution.Name + ".bias");
            if (convolution.Norm is { } norm && !_tensors.ContainsKey(norm.Scale))
            {
                Add(norm.Scale, DerivedTensors.Fill(convolution.Out, Math.Sqrt(1 + BatchNorm.Epsilon)));
                Add(norm.Shift, bias ?? DerivedTensors.Fill(convolution.Out, 0));
                Add(norm.Mean, DerivedTensors.Fill(convolution.Out, 0));
                Add(norm.Variance, DerivedTensors.Fill(convolution.Out, 1));
                bias = null;
                _tensors.Remove(convolution.Name + ".bias");
            }
            if (convolution.HasBias && bias is null) Add(convolution.Name + ".bias", DerivedTensors.Fill(convolution.Out, 0));
        }
    }
}
