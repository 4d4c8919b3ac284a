using MedMerge.Models;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>An architecture in its folded form, each layer a kernel and a bias and no batch norm.</summary>
/// <inheritdoc cref="WeighedNetwork" path="/param" />
internal sealed class FoldedNetwork(Architecture architecture, IReadOnlyList<Tensor> kernels, IReadOnlyList<Tensor> biases)
    : WeighedNetwork(architecture, kernels, biases)
{
    /// <summary>A source by itself; its tensors remain the source's.</summary>
    public static FoldedNetwork Of(Architecture architecture, PreparedSource source) =>
        new(architecture, [.. architecture.Layers.Select(source.Kernel)], [.. architecture.Layers.Select(source.Bias)]);

    /// <inheritdoc />
    public override Tensor Apply(int layer, Tensor input) => Architecture.Layers[layer].Apply(input, Kernels[layer], Biases[layer]);

    /// <inheritdoc />
    public override FoldedNetwork To(Device device) => Convert(tensor => tensor.to(device));

    /// <summary>The same network with every tensor converted, to another device or type.</summary>
    public FoldedNetwork Convert(Func<Tensor, Tensor> convert) =>
        new(Architecture, [.. Kernels.Select(convert)], [.. Biases.Select(convert)]);
}
