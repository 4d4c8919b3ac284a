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
        var sum = new double[parts[0].numel()];
        var perFilter = sum.Length / filters;
        for (var source = 0; source < parts.Length; source++)
        {
            var values = parts[source].data<float>().ToArray();
            for (var c = 0; c < filters; c++)
            {
                var weight = alpha[source, layer, c];
                for (var j = c * perFilter; j < (c + 1) * perFilter; j++) sum[j] += weight * values[j];
            }
        }
        return tensor(Array.ConvertAll(sum, value => (float)value)).view(parts[0].shape);
    }
}
