using MedMerge.Models;
using MedMerge.Models.Layers;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>
/// A network of kernels that are sources' own or weighted sums of theirs, as it is learned with. Does not own its tensors; device thread
/// only.
/// </summary>
/// <param name="architecture">The structure.</param>
/// <param name="kernels">One a layer, of the layer's <see cref="Layer.Shape"/>.</param>
/// <param name="biases">One [out] a layer.</param>
internal abstract class WeighedNetwork(Architecture architecture, IReadOnlyList<Tensor> kernels, IReadOnlyList<Tensor> biases)
{
    /// <summary>The structure.</summary>
    public Architecture Architecture => architecture;

    /// <summary>One a layer.</summary>
    public IReadOnlyList<Tensor> Kernels => kernels;

    /// <summary>One a layer.</summary>
    public IReadOnlyList<Tensor> Biases => biases;

    /// <summary>One [out] a layer, or null where it has none; empty where no layer has.</summary>
    public virtual IReadOnlyList<Tensor?> Scales => [];

    /// <summary>Kernels, biases and scales, in that order.</summary>
    public Tensor[] Parameters => [.. kernels, .. biases, .. Scales.OfType<Tensor>()];

    /// <summary>The features before the classifier, [batch, features].</summary>
    public Tensor Features(Tensor images) => architecture.Forward(images, Apply);

    /// <summary>One layer's output before the activation.</summary>
    public abstract Tensor Apply(int layer, Tensor input);

    /// <summary>The same network on another device.</summary>
    public abstract WeighedNetwork To(Device device);
}
