using MedMerge.Models;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>An architecture over convolutions with bias and no batch norm. Does not own its tensors; device thread only.</summary>
/// <param name="architecture">The structure.</param>
/// <param name="kernels">One [out, in, k, k] a layer.</param>
/// <param name="biases">One [out] a layer.</param>
public sealed class FoldedNetwork(Architecture architecture, IReadOnlyList<Tensor> kernels, IReadOnlyList<Tensor> biases)
{
    /// <summary>The features before the classifier, [batch, features].</summary>
    public Tensor Features(Tensor images) => architecture.Forward(images, Convolve);

    /// <summary>One layer's output before the activation.</summary>
    public Tensor Convolve(int layer, Tensor input) => Convolve(architecture.Layers[layer], input, kernels[layer], biases[layer]);

    internal static Tensor Convolve(ConvLayer layer, Tensor input, Tensor kernel, Tensor? bias) =>
        nn.functional.conv2d(input, kernel, bias, strides: [layer.Stride, layer.Stride], padding: [layer.Padding, layer.Padding]);
}
