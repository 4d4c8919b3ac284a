using MedMerge.Models;
using MedMerge.Models.Layers;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>
/// A source model as merging needs it: each layer a kernel <c>NAME.weight</c> and a bias <c>NAME.bias</c>, with the norms that its kernels
/// had before they were folded. Where batch norms are to be mixed the layers are split, and those in front of a batch norm have a scale
/// <c>NAME.scale</c>.
/// </summary>
/// <param name="Name">The source's name in the specification.</param>
/// <param name="Layers">CPU tensors under the architecture's layer names.</param>
internal sealed record PreparedSource(string Name, StateDict Layers) : IDisposable
{
    /// <summary>A layer's kernel, of its <see cref="Layer.Shape"/>.</summary>
    public Tensor Kernel(Layer layer) => Layers[layer.Name + ".weight"];

    /// <summary>A layer's bias, [out].</summary>
    public Tensor Bias(Layer layer) => Layers[layer.Name + ".bias"];

    /// <summary>The name of a layer's scale, [out].</summary>
    public static string ScaleOf(Layer layer) => layer.Name + ".scale";

    /// <summary>A split layer's γ, [out]; null where it has none.</summary>
    public Tensor? Scale(Layer layer) => Layers.Contains(ScaleOf(layer)) ? Layers[ScaleOf(layer)] : null;

    /// <summary>Which form its layers have.</summary>
    public BatchNormPolicy BatchNorm(Architecture architecture) =>
        architecture.Layers.Any(layer => Layers.Contains(ScaleOf(layer))) ? BatchNormPolicy.Mix : BatchNormPolicy.Fold;

    /// <summary>Copies the norms of its kernels before folding (<see cref="Layer.Norms"/>) into other tensors.</summary>
    public void CopyNormsTo(Architecture architecture, StateDict tensors)
    {
        foreach (var layer in architecture.Layers.Where(layer => Layers.Contains(layer.Norms)))
            tensors.Add(layer.Norms, Layers[layer.Norms].clone());
    }

    /// <summary>Folds each layer's batch norm, in evaluation mode, in float64, or splits it (<see cref="LayerForms"/>).</summary>
    /// <exception cref="InputException">A folded value is beyond float32; the message names the layer.</exception>
    public static PreparedSource Prepare(
        string name,
        Architecture architecture,
        StateDict model,
        BatchNormPolicy batchNorm = BatchNormPolicy.Fold)
    {
        var layers = new StateDict();
        foreach (var layer in architecture.Layers)
        {
            using var scope = NewDisposeScope(); // a layer's, not the model's: folding takes many times a kernel's memory
            var (kernel, bias, scale) = LayerForms.Prepare(layer, batchNorm, model);
            layers.Add(layer.Name + ".weight", kernel);
            layers.Add(layer.Name + ".bias", bias);
            if (scale is not null) layers.Add(ScaleOf(layer), scale);
            // A mix keeps its kernels: scaled, they would be rounded, and its batch norms can make much of that.
            if (batchNorm == BatchNormPolicy.Mix) continue;
            if (LayerForms.MeasureNorms(layer, model) is { } norms) layers.Add(layer.Norms, norms);
        }
        if (layers.FirstNonFinite() is not { } bad) return new PreparedSource(name, layers);
        layers.Dispose();
        throw NotFinite(name, bad[..bad.LastIndexOf('.')]);
    }

    /// <summary>The error of a source that can't be folded in float32.</summary>
    public static InputException NotFinite(string name, string layer)
    {
        var source = name.Length > 0 ? $"source '{name}'" : "a source";
        return new InputException(
            $"{source}: folding batch norm into the layer '{layer}' gives NaN or infinite values. " +
            "Its weights are too large for float32: the model was not trained to an end, or the file is damaged.");
    }

    /// <summary>
    /// A partner of nothing but zeros. Merging one source with it scales that source's kernels by α between 0 and 1: the self-scale
    /// control.
    /// </summary>
    public static PreparedSource Zero(Architecture architecture, BatchNormPolicy batchNorm = BatchNormPolicy.Fold)
    {
        var layers = new StateDict();
        foreach (var layer in architecture.Layers)
        {
            using var scope = NewDisposeScope();
            layers.Add(layer.Name + ".weight", zeros(layer.Shape));
            layers.Add(layer.Name + ".bias", zeros(layer.Out));
            if (batchNorm == BatchNormPolicy.Mix && layer.HasNorms) layers.Add(ScaleOf(layer), zeros(layer.Out));
        }
        return new PreparedSource("zero", layers);
    }

    /// <inheritdoc />
    public void Dispose() => Layers.Dispose();
}
