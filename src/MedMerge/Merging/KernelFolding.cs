using System.Runtime.InteropServices;
using MedMerge.Tensors;
using static TorchSharp.torch;
using Architecture = MedMerge.Models.Architecture;

namespace MedMerge.Merging;

/// <summary>The sums that make the merged model: plain loops in float64, so that every machine gives the same bytes.</summary>
internal static class KernelFolding
{
    /// <summary>K = Σᵢ αᵢKᵢ and b = Σᵢ αᵢbᵢ for each layer, rounded to float32 once.</summary>
    /// <param name="sources">In the order of α's rows.</param>
    public static FoldedNetwork Fold(IReadOnlyList<PreparedSource> sources, KernelWeightMatrix alpha)
    {
        var layers = alpha.Architecture.Layers;
        var kernels = new Tensor[layers.Count];
        var biases = new Tensor[layers.Count];
        for (var l = 0; l < layers.Count; l++)
        {
            var layer = layers[l];
            kernels[l] = Sum([.. sources.Select(source => source.Kernel(layer))], layer.Out, i => alpha.Row(i, l).ToArray());
            biases[l] = Sum([.. sources.Select(source => source.Bias(layer))], rows: 1, i => alpha.FilterRow(i, l));
        }
        return new FoldedNetwork(alpha.Architecture, kernels, biases);
    }

    /// <summary>The merged network in the form that the sources have.</summary>
    /// <inheritdoc cref="Fold" path="/param" />
    public static WeighedNetwork Merge(IReadOnlyList<PreparedSource> sources, KernelWeightMatrix alpha) =>
        sources[0].BatchNorm(alpha.Architecture) == BatchNormPolicy.Mix ? Mix(sources, alpha) : Fold(sources, alpha);

    /// <summary>A source by itself in the form that it has; its tensors remain the source's.</summary>
    public static WeighedNetwork Of(Architecture architecture, PreparedSource source) =>
        source.BatchNorm(architecture) == BatchNormPolicy.Mix
            ? MixedNetwork.Of(architecture, source)
            : FoldedNetwork.Of(architecture, source);

    /// <summary>The same sums of split layers, and γ = Σᵢ αᵢγᵢ.</summary>
    /// <inheritdoc cref="Fold" path="/param" />
    private static MixedNetwork Mix(IReadOnlyList<PreparedSource> sources, KernelWeightMatrix alpha)
    {
        var sums = Fold(sources, alpha);
        var scales = alpha.Architecture.Layers.Select((layer, l) => layer.HasNorms
            ? Sum([.. sources.Select(source => source.Scale(layer)!)], rows: 1, i => alpha.FilterRow(i, l))
            : null);
        return new MixedNetwork(alpha.Architecture, sums.Kernels, sums.Biases, [.. scales]);
    }

    /// <param name="parts">One a source, float32.</param>
    /// <param name="rows">Into how many they are cut, to need less memory.</param>
    /// <param name="weigh">Gives a source's weights, each for as many of its values, in their order.</param>
    private static Tensor Sum(Tensor[] parts, int rows, Func<int, double[]> weigh)
    {
        var weights = Enumerable.Range(0, parts.Length).Select(weigh).ToArray();
        var folded = empty(parts[0].shape, ScalarType.Float32);
        var sum = new double[(int)(folded.numel() / rows)];
        var weightsOfRow = weights[0].Length / rows;
        for (var row = 0; row < rows; row++)
        {
            Array.Clear(sum);
            foreach (var (part, weight) in parts.Zip(weights))
                FilterArithmetic.AddWeighted(Values(part, row, sum.Length), weight.AsSpan(row * weightsOfRow, weightsOfRow), sum);
            FilterArithmetic.Round(sum, Values(folded, row, sum.Length));
        }
        return folded;
    }

    private static Span<float> Values(Tensor tensor, int row, int length) =>
        MemoryMarshal.Cast<byte, float>(tensor.bytes).Slice(row * length, length);
}
