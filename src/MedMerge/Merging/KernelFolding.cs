using MedMerge.Models;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>The fold that makes the merged model: plain loops in float64, so that every machine gives the same bytes.</summary>
public static class KernelFolding
{
    /// <summary>K = Σᵢ αᵢKᵢ and b = Σᵢ αᵢbᵢ for each layer, rounded to float32 once.</summary>
    /// <param name="alpha">[sources × filters].</param>
    public static (Tensor[] Kernels, Tensor[] Biases) Fold(Architecture architecture, IReadOnlyList<PreparedSource> sources, double[] alpha)
    {
        var (kernels, biases) = (new Tensor[architecture.Layers.Count], new Tensor[architecture.Layers.Count]);
        var offset = 0;
        for (var l = 0; l < kernels.Length; l++)
        {
            var layer = architecture.Layers[l];
            kernels[l] = Sum(sources.Select(source => source.Kernel(layer)), layer.Out, alpha, architecture.Filters, offset);
            biases[l] = Sum(sources.Select(source => source.Bias(layer)), layer.Out, alpha, architecture.Filters, offset);
            offset += layer.Out;
        }
        return (kernels, biases);
    }

    private static Tensor Sum(IEnumerable<Tensor> parts, int filters, double[] alpha, int allFilters, int offset)
    {
        double[]? sum = null;
        long[] shape = [];
        var source = 0;
        foreach (var part in parts)
        {
            shape = part.shape;
            var values = part.data<float>().ToArray();
            sum ??= new double[values.Length];
            var perFilter = values.Length / filters;
            for (var c = 0; c < filters; c++)
            {
                var weight = alpha[(source * allFilters) + offset + c];
                for (var j = c * perFilter; j < (c + 1) * perFilter; j++) sum[j] += weight * values[j];
            }
            source++;
        }
        return tensor(Array.ConvertAll(sum!, value => (float)value)).view(shape);
    }
}
