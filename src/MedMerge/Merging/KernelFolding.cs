using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>The fold that makes the merged model: plain loops in float64, so that every machine gives the same bytes.</summary>
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
            kernels[l] = Sum([.. sources.Select(source => source.Kernel(layer))], alpha, l);
            biases[l] = Sum([.. sources.Select(source => source.Bias(layer))], alpha, l);
        }
        return new FoldedNetwork(alpha.Architecture, kernels, biases);
    }

    /// <param name="parts">One a source, float32, with the layer's filters in the first dimension.</param>
    private static Tensor Sum(Tensor[] parts, KernelWeightMatrix alpha, int layer)
    {
        var filters = alpha.Architecture.Layers[layer].Out;
        var folded = empty(parts[0].shape, ScalarType.Float32);
        var sum = new double[(int)(folded.numel() / filters)];
        for (var c = 0; c < filters; c++)
        {
            Array.Clear(sum);
            for (var source = 0; source < parts.Length; source++)
            {
                var weight = alpha[source, layer, c];
                var values = Filter(parts[source], c, sum.Length);
                for (var j = 0; j < sum.Length; j++) sum[j] += weight * values[j];
            }
            var target = Filter(folded, c, sum.Length);
            for (var j = 0; j < sum.Length; j++) target[j] = (float)sum[j];
        }
        return folded;
    }

    /// <summary>A filter's values, where the tensor has them.</summary>
    private static Span<float> Filter(Tensor tensor, int filter, int length) =>
        MemoryMarshal.Cast<byte, float>(tensor.bytes).Slice(filter * length, length);
}
