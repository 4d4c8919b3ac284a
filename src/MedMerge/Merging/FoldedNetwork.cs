using MedMerge.Models;
using MedMerge.Models.Layers;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>
/// An architecture in its folded form, each layer a kernel and a bias and no batch norm. Does not own its tensors; device thread only.
/// </summary>
/// <param name="architecture">The structure.</param>
/// <param name="kernels">One a layer, of the layer's <see cref="Layer.Shape"/>.</param>
/// <param name="biases">One [out] a layer.</param>
internal sealed class FoldedNetwork(Architecture architecture, IReadOnlyList<Tensor> kernels, IReadOnlyList<Tensor> biases)
{
    /// <summary>A source by itself; its tensors remain the source's.</summary>
    public static FoldedNetwork Of(Architecture architecture, PreparedSource source) =>
        new(architecture, [.. architecture.Layers.Select(source.Kernel)], [.. architecture.Layers.Select(source.Bias)]);

    /// <summary>The structure.</summary>
    public Architecture Architecture => architecture;

    /// <summary>One a layer.</summary>
    public IReadOnlyList<Tensor> Kernels => kernels;

    /// <summary>One a layer.</summary>
    public IReadOnlyList<Tensor> Biases => biases;

    /// <summary>The features before the classifier, [batch, features].</summary>
    public Tensor Features(Tensor images) => architecture.Forward(images, Apply);

    /// <summary>One layer's output before the activation.</summary>
    public Tensor Apply(int layer, Tensor input) => architecture.Layers[layer].Apply(input, kernels[layer], biases[layer]);

    /// <summary>The same network on another device.</summary>
    public FoldedNetwork To(Device device) => Convert(tensor => tensor.to(device));

    /// <summary>The same network with every tensor converted, to another device or type.</summary>
    public FoldedNetwork Convert(Func<Tensor, Tensor> convert) =>
        new(architecture, [.. kernels.Select(convert)], [.. biases.Select(convert)]);
}
