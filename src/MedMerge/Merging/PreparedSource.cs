using MedMerge.Models;
using MedMerge.Models.Layers;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>
/// A source model as merging needs it: folded, each layer a kernel <c>NAME.weight</c> and a bias <c>NAME.bias</c>, with the norms that its
/// kernels had before.
/// </summary>
/// <param name="Name">The source's name in the specification.</param>
/// <param name="Layers">CPU tensors under the architecture's layer names.</param>
internal sealed record PreparedSource(string Name, StateDict Layers) : IDisposable
{
    /// <summary>A layer's kernel, of its <see cref="Layer.Shape"/>.</summary>
    public Tensor Kernel(Layer layer) => Layers[layer.Name + ".weight"];

    /// <summary>A layer's bias, [out].</summary>
    public Tensor Bias(Layer layer) => Layers[layer.Name + ".bias"];

    /// <summary>Copies the norms of its kernels before folding (<see cref="Layer.Norms"/>) into other tensors.</summary>
    public void CopyNormsTo(Architecture architecture, StateDict tensors)
    {
        foreach (var layer in architecture.Layers.Where(layer => Layers.Contains(layer.Norms)))
            tensors.Add(layer.Norms, Layers[layer.Norms].clone());
    }

    /// <summary>Folds each layer's batch norm, in evaluation mode, in float64 (<see cref="LayerForms.Prepare"/>).</summary>
    /// <exception cref="InputException">A folded value is beyond float32; the message names the layer.</exception>
    public static PreparedSource Prepare(string name, Architecture architecture, StateDict model)
    {
        var layers = new StateDict();
        foreach (var layer in architecture.Layers)
        {
            using var scope = NewDisposeScope(); // a layer's, not the model's: folding takes many times a kernel's memory
            var (kernel, bias) = LayerForms.Prepare(layer, model);
            layers.Add(layer.Name + ".weight", kernel);
            layers.Add(layer.Name + ".bias", bias);
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
    public static PreparedSource Zero(Architecture architecture)
    {
        var layers = new StateDict();
        foreach (var layer in architecture.Layers)
        {
            using var scope = NewDisposeScope();
            layers.Add(layer.Name + ".weight", zeros(layer.Shape));
            layers.Add(layer.Name + ".bias", zeros(layer.Out));
        }
        return new PreparedSource("zero", layers);
    }

    /// <inheritdoc />
    public void Dispose() => Layers.Dispose();
}
