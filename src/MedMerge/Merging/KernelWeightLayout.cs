using MedMerge.Models;
using MedMerge.Models.Layers;

namespace MedMerge.Merging;

/// <summary>
/// What has a kernel weight of its own in each layer: a filter, all kernels of one output channel; or each 2D kernel of a convolution, from
/// one input channel to one output channel. A filter's bias has the mean of its kernels' weights.
/// </summary>
internal sealed class KernelWeightLayout
{
    private readonly int[] _parts;
    private readonly int[] _offsets;

    private KernelWeightLayout(Architecture architecture, Func<Layer, int> countParts)
    {
        _parts = [.. architecture.Layers.Select(countParts)];
        _offsets = new int[_parts.Length];
        for (var l = 0; l < _parts.Length; l++)
        {
            _offsets[l] = Count;
            Count += architecture.Layers[l].Out * _parts[l];
        }
    }

    /// <summary>Weights of one source, over all layers.</summary>
    public int Count { get; }

    /// <summary>Whether some filter has more than one.</summary>
    public bool IsPerKernel => Array.Exists(_parts, parts => parts > 1);

    /// <summary>One a filter.</summary>
    public static KernelWeightLayout PerFilter(Architecture architecture) => new(architecture, _ => 1);

    /// <summary>One a 2D kernel; one a filter in layers that are no convolutions.</summary>
    public static KernelWeightLayout PerKernel(Architecture architecture) =>
        new(architecture, layer => layer is Convolution convolution ? convolution.In / convolution.Groups : 1);

    /// <summary>The layout with that many weights of a source.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static KernelWeightLayout Of(Architecture architecture, int count)
    {
        if (count == architecture.Filters) return PerFilter(architecture);
        var perKernel = PerKernel(architecture);
        if (count == perKernel.Count) return perKernel;
        throw new ArgumentException(
            $"A source of a {architecture.Title} has {architecture.Filters} kernel weights by filter or {perKernel.Count} by 2D kernel, " +
            $"not {count}.",
            nameof(count));
    }

    /// <summary>Weights of one filter of a layer.</summary>
    public int Parts(int layer) => _parts[layer];

    /// <summary>How many weights the layers before <paramref name="layer"/> have.</summary>
    public int Offset(int layer) => _offsets[layer];

    /// <summary>How many weights a layer has.</summary>
    public int Length(int layer) => (layer + 1 < _offsets.Length ? _offsets[layer + 1] : Count) - _offsets[layer];
}
