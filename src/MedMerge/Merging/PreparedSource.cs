using MedMerge.Models;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>A source model as merging needs it: batch norm folded, each layer a kernel <c>NAME.weight</c> and a bias <c>NAME.bias</c>.</summary>
/// <param name="Name">The source's name in the specification.</param>
/// <param name="Layers">CPU tensors under the architecture's layer names.</param>
public sealed record PreparedSource(string Name, StateDict Layers) : IDisposable
{
    /// <summary>Layer <paramref name="layer"/>'s kernel, [out, in, k, k].</summary>
    public Tensor Kernel(ConvLayer layer) => Layers[layer.Name + ".weight"];

    /// <summary>Layer <paramref name="layer"/>'s bias, [out].</summary>
    public Tensor Bias(ConvLayer layer) => Layers[layer.Name + ".bias"];

    /// <summary>
    /// Folds each batch norm, in evaluation mode, into its convolution: s = γ/√(σ²+ε), K' = sK, b' = β + s(b − μ), in float64.
    /// (Jacob et al. 2018, section 3.2.)
    /// </summary>
    /// <exception cref="InputException">A folded value is beyond float32; the message names the layer.</exception>
    public static PreparedSource Fold(string name, Architecture architecture, StateDict weights)
    {
        var layers = new StateDict();
        using var scope = NewDisposeScope();
        foreach (var layer in architecture.Layers)
        {
            Tensor Part(string part) => weights[$"{layer.BatchNorm}.{part}"].to(ScalarType.Float64);
            var scale = Part("weight") / Part("running_var").Plus(BatchNormNetwork.Epsilon).sqrt();
            layers.Add(layer.Name + ".weight", (weights[layer.Name + ".weight"].to(ScalarType.Float64) * scale.view(-1, 1, 1, 1)).to(ScalarType.Float32));
            layers.Add(layer.Name + ".bias", (Part("bias") - (scale * Part("running_mean"))).to(ScalarType.Float32));
        }
        if (layers.FirstNonFinite() is not { } bad) return new PreparedSource(name, layers);
        layers.Dispose();
        throw new InputException($"{(name.Length > 0 ? $"source '{name}'" : "a source")}: folding batch norm into the layer '{bad[..bad.LastIndexOf('.')]}' gives NaN or infinite values. " +
                                 "Its weights are too large for float32: the model was not trained to an end, or the file is damaged.");
    }

    /// <summary>
    /// A partner of nothing but zeros. Merging one source with it scales that source's kernels by α between 0 and 1: the self-scale control.
    /// </summary>
    public static PreparedSource Zero(Architecture architecture)
    {
        var layers = new StateDict();
        using var scope = NewDisposeScope();
        foreach (var layer in architecture.Layers)
        {
            layers.Add(layer.Name + ".weight", zeros(layer.Shape));
            layers.Add(layer.Name + ".bias", zeros(layer.Out));
        }
        return new PreparedSource("zero", layers);
    }

    /// <inheritdoc />
    public void Dispose() => Layers.Dispose();
}
