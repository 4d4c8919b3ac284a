using MedMerge.Models;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>How far one layer's folded output is from its weighted features, on the same input.</summary>
/// <param name="Difference">Largest absolute difference.</param>
/// <param name="Rms">Root mean square of the folded output.</param>
public sealed record LayerCertificate(string Layer, double Difference, double Rms)
{
    /// <summary>The difference in units of the output's root mean square; 0 for an output that is zero everywhere.</summary>
    public double Relative => Difference == 0 ? 0 : Difference / Rms;
}

/// <summary>
/// Proof that the merged model is the weighted-features network: every layer of both compared on real images, then the features of the
/// folded network against those of the exported one, with its batch norm back. The weights are the float32 ones that are exported; the
/// arithmetic is float64, so that what is measured is the merge and not the rounding of two ways to sum a convolution, which alone reaches
/// 1e-5.
/// </summary>
/// <param name="Images">How many training images it was measured on.</param>
/// <param name="Features">Exported against folded, features before the classifier.</param>
public sealed record Certificate(int Images, IReadOnlyList<LayerCertificate> Layers, LayerCertificate Features)
{
    /// <summary>The largest relative difference allowed.</summary>
    public const double Limit = 1e-5;

    /// <summary>The layer with the largest relative difference; one that is not a number is the largest.</summary>
    public LayerCertificate Worst =>
        Layers.Append(Features).MaxBy(layer => double.IsNaN(layer.Relative) ? double.PositiveInfinity : layer.Relative)!;

    /// <summary>Whether every difference is below <see cref="Limit"/>.</summary>
    public bool Holds => Worst.Relative < Limit;

    /// <summary>Measures a merged model against its sources.</summary>
    /// <param name="sources">In the order of α's rows.</param>
    /// <param name="network">The folded network.</param>
    /// <param name="merged">The exported model.</param>
    /// <param name="images">[batch, 3, height, width], normalised, on the device to measure on.</param>
    internal static Certificate Measure(
        IReadOnlyList<PreparedSource> sources,
        KernelWeightMatrix alpha,
        FoldedNetwork network,
        StateDict merged,
        Tensor images,
        CancellationToken cancellation)
    {
        var architecture = alpha.Architecture;
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        Tensor Wide(Tensor tensor) => tensor.to(ScalarType.Float64).to(images.device);
        var (layers, features) = CompareLayers();
        DeviceThread.Yield(cancellation);
        using var exported = new BatchNormNetwork(architecture, merged, images.device, ScalarType.Float64);
        var exportedFeatures = exported.Features(Wide(images), training: false);
        return new Certificate((int)images.shape[0], layers, Compare("features", features, exportedFeatures));

        (LayerCertificate[] Layers, Tensor Features) CompareLayers()
        {
            using var inner = NewDisposeScope(); // the wide kernels are gone before the exported model's come
            // Each layer is needed once: no need to hold all of them on the device.
            using var stack = new SourceStack(architecture, sources, images.device, ScalarType.Float64, memoryLimit: 0);
            var alphas = stack.Split(alpha);
            var folded = network.Convert(Wide);
            var certificates = new LayerCertificate[architecture.Layers.Count];
            var wideFeatures = architecture.Forward(Wide(images), (l, input) =>
            {
                DeviceThread.Yield(cancellation);
                var output = folded.Apply(l, input);
                certificates[l] = Compare(architecture.Layers[l].Name, output, stack.WeightedFeatures(l, input, alphas[l]));
                return output;
            });
            return (certificates, wideFeatures.MoveToOuterDisposeScope());
        }
    }

    private static LayerCertificate Compare(string name, Tensor output, Tensor other)
    {
        using var scope = NewDisposeScope();
        return new LayerCertificate(
            name,
            Difference: (output - other).abs().max().to(ScalarType.Float64).item<double>(),
            Rms: output.to(ScalarType.Float64).Squared().mean().sqrt().item<double>());
    }
}
