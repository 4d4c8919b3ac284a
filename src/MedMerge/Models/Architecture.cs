using MedMerge.Data;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models;

/// <summary>Computes layer <paramref name="layer"/>'s convolution with all that follows before the activation.</summary>
/// <param name="layer">Index into <see cref="Architecture.Layers"/>.</param>
/// <param name="input">[batch, in, height, width].</param>
public delegate Tensor Convolve(int layer, Tensor input);

/// <summary>
/// A network's structure, without weights. The forward pass is written once over a <see cref="Convolve"/> function, so the form with batch
/// norm, the folded form and the weighted-features form are the same network by construction.
/// </summary>
public abstract class Architecture(string name, double width, string classifier, IReadOnlyList<ConvLayer> layers)
{
    /// <summary>The name a specification uses.</summary>
    public string Name { get; } = name;

    /// <summary>Multiplies every layer's channels.</summary>
    public double Width { get; } = width;

    /// <summary>The classifier's name in the state dictionary.</summary>
    public string Classifier { get; } = classifier;

    /// <summary>The convolutions, in the state dictionary's order.</summary>
    public IReadOnlyList<ConvLayer> Layers { get; } = layers;

    /// <summary>The classifier's inputs.</summary>
    public int Features => Layers[^1].Out;

    /// <summary>Filters over all layers, the length of one source's kernel weights.</summary>
    public int Filters { get; } = layers.Sum(layer => layer.Out);

    /// <summary>Name and width, as shown to people.</summary>
    public string Title => Width == 1 ? Name : FormattableString.Invariant($"{Name} (width {Width})");

    /// <summary>The features before the classifier, [batch, <see cref="Features"/>], from images [batch, 3, height, width].</summary>
    public abstract Tensor Forward(Tensor images, Convolve convolve);

    /// <summary>Weights drawn by seed: kernels normal with variance 2 / fan-out (He et al. 2015), batch norm the identity, classifier zero.</summary>
    public StateDict Initialise(ulong seed, int classes)
    {
        var random = new RandomStream(seed, StreamKeys.Initialisation);
        var weights = new StateDict();
        using var scope = NewDisposeScope();
        foreach (var layer in Layers)
        {
            var deviation = Math.Sqrt(2.0 / (layer.Out * layer.Kernel * layer.Kernel));
            var values = new float[layer.Shape.Aggregate(1L, (product, size) => product * size)];
            for (var i = 0; i < values.Length; i++) values[i] = (float)(deviation * random.NextNormal());
            weights.Add(layer.Name + ".weight", tensor(values).view(layer.Shape));
            AddBatchNorm(weights, layer, ones(layer.Out), zeros(layer.Out), zeros(layer.Out), ones(layer.Out));
        }
        weights.Add(Classifier + ".weight", zeros(classes, Features));
        weights.Add(Classifier + ".bias", zeros(classes));
        return weights;
    }

    /// <summary>Adds a layer's batch norm under PyTorch's names, each value [out].</summary>
    public static void AddBatchNorm(StateDict weights, ConvLayer layer, Tensor scale, Tensor shift, Tensor mean, Tensor variance)
    {
        weights.Add(layer.BatchNorm + ".weight", scale);
        weights.Add(layer.BatchNorm + ".bias", shift);
        weights.Add(layer.BatchNorm + ".running_mean", mean);
        weights.Add(layer.BatchNorm + ".running_var", variance);
        weights.Add(layer.BatchNorm + ".num_batches_tracked", zeros(1, ScalarType.Int64).squeeze());
    }
}
