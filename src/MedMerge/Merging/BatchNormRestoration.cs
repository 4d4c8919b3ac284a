using MedMerge.Data;
using MedMerge.Models.Layers;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>
/// Gives a folded model its batch norm back without changing what it computes. With mean μ and variance σ² on the target of what a batch
/// norm normalises, γ = s·√(σ²+ε) and β = t + sμ make (z − μ)·γ/√(σ²+ε) + β = sz + t. Behind a convolution z is its output without bias,
/// s is 1 and t the folded bias; a lone normalisation has z as its input, and s and t as its folded kernel and bias.
/// </summary>
internal static class BatchNormRestoration
{
    private const int BatchSize = 256;

    /// <summary>Mean and variance of what each batch norm normalises, over the training images, float64 sums.</summary>
    /// <returns><c>NAME.running_mean</c> and <c>NAME.running_var</c>, [channels] each, float32.</returns>
    public static StateDict Measure(FoldedNetwork network, ImageDataset target, BatchLoader loader, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var layers = network.Architecture.Layers;
        var sums = layers.Select(layer => layer.Norm is { } norm ? new ChannelSums(norm) : null).ToArray();
        foreach (var indices in Enumerable.Range(0, target.Train.Count).Chunk(BatchSize))
        {
            DeviceThread.Yield(cancellation);
            using var batch = NewDisposeScope();
            network.Architecture.Forward(loader.Load(target.Train, indices), (l, input) =>
            {
                var output = layers[l].Apply(input, network.Kernels[l], bias: null);
                sums[l]?.Add(layers[l].Normalised(input, output));
                return output.Plus(network.Biases[l].view(1, -1, 1, 1));
            });
        }
        var statistics = new StateDict();
        foreach (var sum in sums.OfType<ChannelSums>()) sum.AddTo(statistics);
        return statistics;
    }

    /// <summary>The ordinary state dictionary of a folded model, from <see cref="Measure"/>'s statistics and a classifier.</summary>
    public static StateDict Restore(FoldedNetwork network, StateDict statisticsAndClassifier)
    {
        var model = new StateDict();
        using var scope = NewDisposeScope();
        var architecture = network.Architecture;
        for (var l = 0; l < architecture.Layers.Count; l++)
            architecture.Layers[l].Restore(model, network.Kernels[l], network.Biases[l], statisticsAndClassifier);
        foreach (var part in new[] { ".weight", ".bias" })
            model.Add(architecture.Classifier + part, statisticsAndClassifier[architecture.Classifier + part].clone());
        return model;
    }

    /// <summary>Sums over images and pixels, on the CPU.</summary>
    private sealed class ChannelSums(BatchNorm norm)
    {
        private readonly Tensor _sum = zeros(norm.Channels, ScalarType.Float64);
        private readonly Tensor _squares = zeros(norm.Channels, ScalarType.Float64);
        private double _count;

        /// <param name="values">[batch, channels, height, width].</param>
        public void Add(Tensor values)
        {
            var wide = values.to(ScalarType.Float64);
            _sum.Add(wide.sum([0L, 2L, 3L]).cpu());
            _squares.Add(wide.Squared().sum([0L, 2L, 3L]).cpu());
            _count += values.numel() / values.shape[1];
        }

        public void AddTo(StateDict statistics)
        {
            var mean = _sum.Over(_count);
            var variance = (_squares.Over(_count) - mean.Squared()).AtLeast(0);
            statistics.Add(norm.Mean, mean.to(ScalarType.Float32));
            statistics.Add(norm.Variance, variance.to(ScalarType.Float32));
        }
    }
}
