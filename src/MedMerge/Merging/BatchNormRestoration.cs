using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>
/// Gives a folded model its batch norm back without changing what it computes: with a convolution's output mean μ and variance σ² on the
/// target, γ = √(σ²+ε) and β = μ + b make (z − μ)·γ/√(σ²+ε) + β = z + b.
/// </summary>
public static class BatchNormRestoration
{
    private const int BatchSize = 256;

    /// <summary>Mean and variance of each convolution's output (without bias) over the training images, float64 sums.</summary>
    /// <returns><c>NAME.running_mean</c> and <c>NAME.running_var</c>, [out] each, float32.</returns>
    public static StateDict Measure(Architecture architecture, IReadOnlyList<Tensor> kernels, IReadOnlyList<Tensor> biases, ImageDataset target,
        BatchLoader loader, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var sums = architecture.Layers.Select(layer => zeros(layer.Out, ScalarType.Float64)).ToArray();
        var squares = architecture.Layers.Select(layer => zeros(layer.Out, ScalarType.Float64)).ToArray();
        var counts = new double[sums.Length];
        foreach (var indices in Enumerable.Range(0, target.Train.Count).Chunk(BatchSize))
        {
            DeviceThread.Yield(cancellation);
            using var batch = NewDisposeScope();
            architecture.Forward(loader.Load(target.Train, indices), (l, input) =>
            {
                var output = FoldedNetwork.Convolve(architecture.Layers[l], input, kernels[l], null);
                var wide = output.to(ScalarType.Float64);
                sums[l].Add(wide.sum([0L, 2L, 3L]).cpu());
                squares[l].Add(wide.Squared().sum([0L, 2L, 3L]).cpu());
                counts[l] += output.numel() / output.shape[1];
                return output.Plus(biases[l].view(1, -1, 1, 1));
            });
        }
        var statistics = new StateDict();
        for (var l = 0; l < sums.Length; l++)
        {
            var mean = sums[l].Over(counts[l]);
            var variance = (squares[l].Over(counts[l]) - mean.Squared()).AtLeast(0);
            statistics.Add(architecture.Layers[l].BatchNorm + ".running_mean", mean.to(ScalarType.Float32));
            statistics.Add(architecture.Layers[l].BatchNorm + ".running_var", variance.to(ScalarType.Float32));
        }
        return statistics;
    }

    /// <summary>The ordinary state dictionary of a folded model, from <see cref="Measure"/>'s statistics and a classifier.</summary>
    public static StateDict Restore(Architecture architecture, IReadOnlyList<Tensor> kernels, IReadOnlyList<Tensor> biases, StateDict statisticsAndClassifier)
    {
        var weights = new StateDict();
        using var scope = NewDisposeScope();
        for (var l = 0; l < kernels.Count; l++)
        {
            var layer = architecture.Layers[l];
            var mean = statisticsAndClassifier[layer.BatchNorm + ".running_mean"];
            var variance = statisticsAndClassifier[layer.BatchNorm + ".running_var"];
            var scale = variance.to(ScalarType.Float64).Plus(BatchNormNetwork.Epsilon).sqrt().to(ScalarType.Float32);
            var shift = mean.to(ScalarType.Float64).Plus(biases[l].to(ScalarType.Float64)).to(ScalarType.Float32);
            weights.Add(layer.Name + ".weight", kernels[l]);
            Architecture.AddBatchNorm(weights, layer, scale, shift, mean.clone(), variance.clone());
        }
        foreach (var part in new[] { ".weight", ".bias" })
            weights.Add(architecture.Classifier + part, statisticsAndClassifier[architecture.Classifier + part].clone());
        return weights;
    }
}
