using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Models.Layers;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>
/// An architecture with its batch norms mixed (<see cref="BatchNormPolicy.Mix"/>): each normalises by the statistics of the batch it is
/// shown. With the statistics of the training images (<see cref="Estimate"/>) it is a folded network.
/// </summary>
/// <inheritdoc cref="WeighedNetwork" path="/param" />
/// <param name="scales">One [out] a layer; null where a layer has none.</param>
internal sealed class MixedNetwork(
    Architecture architecture,
    IReadOnlyList<Tensor> kernels,
    IReadOnlyList<Tensor> biases,
    IReadOnlyList<Tensor?> scales) : WeighedNetwork(architecture, kernels, biases)
{
    /// <summary>Images of a batch that the statistics are estimated on.</summary>
    private const int BatchSize = 64;

    /// <inheritdoc />
    public override IReadOnlyList<Tensor?> Scales => scales;

    /// <summary>A source by itself; its tensors remain the source's.</summary>
    public static MixedNetwork Of(Architecture architecture, PreparedSource source) => new(
        architecture,
        [.. architecture.Layers.Select(source.Kernel)],
        [.. architecture.Layers.Select(source.Bias)],
        [.. architecture.Layers.Select(source.Scale)]);

    /// <inheritdoc />
    public override Tensor Apply(int layer, Tensor input) =>
        Architecture.Layers[layer].ApplySplit(input, Kernels[layer], Biases[layer], scales[layer]);

    /// <inheritdoc />
    public override MixedNetwork To(Device device) => new(
        Architecture,
        [.. Kernels.Select(kernel => kernel.to(device))],
        [.. Biases.Select(bias => bias.to(device))],
        [.. scales.Select(scale => scale?.to(device))]);

    /// <summary>Its batch norms' statistics on the training images (<see cref="BatchNormStatistics"/>).</summary>
    /// <returns><c>NAME.running_mean</c> and <c>NAME.running_var</c>, [channels] each, float32.</returns>
    public StateDict Estimate(ImageDataset target, BatchLoader loader, CancellationToken cancellation)
    {
        var statistics = new StateDict();
        using var scope = NewDisposeScope();
        using var unknown = new StateDict();
        foreach (var norm in Architecture.Norms)
        {
            unknown.Add(norm.Mean, zeros(norm.Channels));
            unknown.Add(norm.Variance, ones(norm.Channels));
        }
        using var model = Join(unknown);
        var device = Kernels[0].device;
        using var estimated = BatchNormStatistics.Estimate(Architecture, model, target, BatchSize, loader, device, cancellation);
        foreach (var name in Architecture.Norms.SelectMany(norm => new[] { norm.Mean, norm.Variance }))
            statistics.Add(name, estimated[name]);
        return statistics;
    }

    /// <summary>What it computes with fixed statistics.</summary>
    /// <param name="statistics">As <see cref="Estimate"/> gives it.</param>
    /// <param name="type">Of the tensors.</param>
    public FoldedNetwork Fold(StateDict statistics, ScalarType type = ScalarType.Float32)
    {
        var device = Kernels[0].device;
        var layers = Enumerable.Range(0, Kernels.Count).Select(l => FoldPart(l, Kernels[l], Biases[l], scales[l], statistics)).ToList();
        Tensor Bring(Tensor tensor) => tensor.to(type).to(device);
        return new FoldedNetwork(
            Architecture,
            [.. layers.Select(layer => Bring(layer.Kernel))],
            [.. layers.Select(layer => Bring(layer.Bias))]);
    }

    /// <summary>
    /// Its sources in folded form, float64: with μ and σ of the merged model and its γ, K'ᵢ = (γ/σ)Kᵢ and b'ᵢ = βᵢ − γᵢμ/σ, so that their
    /// weighted sum is what <see cref="Fold"/> gives. A lone batch norm's kernel is γᵢ/σ.
    /// </summary>
    /// <param name="sources">Split, those that it was mixed of.</param>
    /// <param name="statistics">As <see cref="Estimate"/> gives it.</param>
    public IReadOnlyList<PreparedSource> FoldSources(IReadOnlyList<PreparedSource> sources, StateDict statistics)
    {
        return [.. sources.Select(Fold)];

        PreparedSource Fold(PreparedSource source)
        {
            var folded = new StateDict();
            for (var l = 0; l < Architecture.Layers.Count; l++)
            {
                using var scope = NewDisposeScope();
                var layer = Architecture.Layers[l];
                var (kernel, bias) = FoldPart(l, source.Kernel(layer), source.Bias(layer), source.Scale(layer), statistics);
                folded.Add(layer.Name + ".weight", kernel);
                folded.Add(layer.Name + ".bias", bias);
            }
            return source with { Layers = folded };
        }
    }

    /// <summary>Its ordinary state dictionary, without a classifier.</summary>
    /// <param name="statistics">Its statistics, and the norms that its kernels are scaled to, if they are.</param>
    public StateDict Join(StateDict statistics)
    {
        var model = new StateDict();
        for (var l = 0; l < Architecture.Layers.Count; l++)
        {
            using var scope = NewDisposeScope();
            LayerForms.Join(Architecture.Layers[l], model, Kernels[l].cpu(), Biases[l].cpu(), scales[l]?.cpu(), statistics);
        }
        return model;
    }

    /// <summary>A part of a layer in folded form, float64 on the CPU (<see cref="Layer.FoldPart"/>).</summary>
    private (Tensor Kernel, Tensor Bias) FoldPart(int index, Tensor kernel, Tensor bias, Tensor? gamma, StateDict statistics)
    {
        var layer = Architecture.Layers[index];
        var wide = kernel.cpu().to(ScalarType.Float64);
        if (layer.Norm is null) return (wide, bias.cpu().to(ScalarType.Float64));
        var (scale, shift) = layer.FoldPart(
            Read(bias),
            Read(gamma ?? kernel),
            Read(scales[index] ?? Kernels[index]),
            name => Read(statistics[name]));
        return ((wide.view(layer.Out, -1) * tensor(scale).view(-1, 1)).view(layer.Shape), tensor(shift));

        static float[] Read(Tensor values) => PlainTensor.Of(values.to(ScalarType.Float32)).Values;
    }
}
