using System.Buffers;
using MedMerge.Models.Layers;
using MedMerge.Tensors;

namespace MedMerge.Merging.Files;

/// <summary>
/// One layer of a merge by kernel weights, from the sources' files. It computes what <see cref="PreparedSource.Prepare"/>,
/// <see cref="KernelFolding.Fold"/> and <see cref="BatchNormRestoration.Restore"/> compute, with the same arithmetic, a few filters at a
/// time.
/// </summary>
internal sealed class LayerFold
{
    /// <summary>Values of a block, if a filter has not more: with a few sources' they fit a core's own cache.</summary>
    private const int BlockValues = 1 << 14;

    private readonly LearnedKernelWeights _learned;
    private readonly int _index;
    private readonly Layer _layer;
    private readonly Source[] _sources;
    private readonly float[]? _norms;
    private readonly int _filterValues;

    /// <param name="index">The layer's.</param>
    /// <param name="sources">Their tensors under the architecture's names.</param>
    /// <exception cref="InputException">A folded bias is beyond float32.</exception>
    public LayerFold(LearnedKernelWeights learned, int index, IReadOnlyList<IReadOnlyDictionary<string, StoredTensor>> sources)
    {
        _learned = learned;
        _index = index;
        _layer = learned.Architecture.Layers[index];
        _filterValues = (int)_layer.Shape.Skip(1).Aggregate(1L, (product, size) => product * size);
        _norms = _layer.HasNorms ? learned.TargetTensors.GetValueOrDefault(_layer.Norms)?.Values : null;
        _sources = [.. sources.Select((tensors, i) => Open(tensors, learned.Sources[i]))];
    }

    private readonly record struct Source(
        string Name,
        FloatReader? Kernel,
        double[] Scale,
        float[] Bias,
        float[]? Gamma,
        int[]? Filters,
        int[]? Inputs);

    /// <summary>Σᵢ αᵢbᵢ, [out].</summary>
    public float[] FoldBiases() => FoldVectors(source => source.Bias, i => _learned.Alpha.FilterRow(i, _index));

    /// <summary>Σᵢ αᵢγᵢ, [out], where batch norms are mixed; null where the layer has no γ besides a kernel.</summary>
    public float[]? FoldGammas() =>
        _sources[0].Gamma is null ? null : FoldVectors(source => source.Gamma!, i => _learned.Alpha.FilterRow(i, _index));

    /// <summary>The folded kernel of a layer without a kernel of its own, [out].</summary>
    public double[] FoldScales()
    {
        var folded = FoldVectors(
            source => ToFinite(source, FilterArithmetic.Round(source.Scale)),
            i => _learned.Alpha.Row(i, _index).ToArray());
        return FilterArithmetic.Widen(folded);
    }

    /// <summary>Folds the kernel, and scales its filters to the norms that the merge keeps.</summary>
    /// <param name="write">Takes values from the one with an index on; several threads call it.</param>
    /// <returns>The factors of the filters, [out].</returns>
    /// <exception cref="InputException">A folded value is beyond float32.</exception>
    public double[] WriteFilters(Action<long, ReadOnlySpan<float>> write, ParallelOptions parallel)
    {
        var factors = new double[_layer.Out];
        var block = Math.Max(1, BlockValues / _filterValues);
        var blocks = (_layer.Out + block - 1) / block;
        ParallelLoop.RunInner(blocks, parallel, b =>
        {
            parallel.CancellationToken.ThrowIfCancellationRequested();
            using var buffers = new Buffers(block * _filterValues);
            var first = (int)b * block;
            var values = FoldBlock(first, Math.Min(block, _layer.Out - first), factors, buffers);
            write((long)first * _filterValues, values);
        });
        return factors;
    }

    private Source Open(IReadOnlyDictionary<string, StoredTensor> tensors, WeightedSource weighted)
    {
        var (scale, shift, gamma) = LayerForms.Prepare(_layer, _learned.BatchNorm, name => FloatReader.ReadAll(tensors[name]));
        var kernel = _layer.Weight is { } weight ? new FloatReader(tensors[weight]) : null;
        var (filters, inputs) = weighted.Order?.FindIndices(_index) ?? (null, null);
        var source = new Source(
            weighted.Name,
            kernel,
            Reorder(scale, filters),
            Reorder(FilterArithmetic.Round(shift), filters),
            gamma is null ? null : Reorder(FilterArithmetic.Round(gamma), filters),
            filters,
            inputs);
        ToFinite(source, source.Bias);
        return source;
    }

    private float[] FoldVectors(Func<Source, float[]> part, Func<int, double[]> weigh)
    {
        var sum = new double[_layer.Out];
        for (var i = 0; i < _sources.Length; i++) FilterArithmetic.AddWeighted(part(_sources[i]), weigh(i), sum);
        var folded = new float[sum.Length];
        FilterArithmetic.Round(sum, folded);
        return folded;
    }

    /// <summary>Some filters of the merged model's kernel.</summary>
    /// <param name="factors">Gets the factors of the filters.</param>
    private Span<float> FoldBlock(int first, int count, double[] factors, Buffers buffers)
    {
        var sum = buffers.Sum.AsSpan(0, count * _filterValues);
        var values = buffers.Values.AsSpan(0, count * _filterValues);
        var parts = _learned.Alpha.Layout.Parts(_index);
        sum.Clear();
        for (var i = 0; i < _sources.Length; i++)
        {
            Prepare(_sources[i], first, values, buffers.Row);
            var weights = _learned.Alpha.Row(i, _index).Slice(first * parts, count * parts);
            FilterArithmetic.AddWeighted(values, weights, sum);
        }
        FilterArithmetic.Round(sum, values);
        for (var f = 0; f < count; f++)
        {
            var filter = values.Slice(f * _filterValues, _filterValues);
            factors[first + f] = _norms is null ? 1 : Layer.ScaleTo(_norms[first + f], filter);
            if (factors[first + f] != 1) FilterArithmetic.Scale(filter, factors[first + f], filter);
        }
        return values;
    }

    /// <summary>Reads some filters of a source, in the order that it is merged in, and folds its batch norm into them.</summary>
    private void Prepare(Source source, int first, Span<float> values, float[] row)
    {
        if (source.Filters is null) source.Kernel!.Read((long)first * _filterValues, values);
        for (var f = 0; f < values.Length / _filterValues; f++)
        {
            var filter = values.Slice(f * _filterValues, _filterValues);
            if (source.Filters is { } filters) source.Kernel!.Read((long)filters[first + f] * _filterValues, filter);
            FilterArithmetic.Scale(filter, source.Scale[first + f], filter);
            if (source.Inputs is { } inputs) Reorder(filter, inputs, row);
        }
        if (!FilterArithmetic.AreFinite(values)) throw PreparedSource.NotFinite(source.Name, _layer.Name);
    }

    /// <param name="scratch">At least as long as the filter.</param>
    private static void Reorder(Span<float> filter, int[] inputs, float[] scratch)
    {
        filter.CopyTo(scratch);
        var length = filter.Length / inputs.Length;
        for (var j = 0; j < inputs.Length; j++) scratch.AsSpan(inputs[j] * length, length).CopyTo(filter[(j * length)..]);
    }

    private static T[] Reorder<T>(T[] values, int[]? filters) =>
        filters is null ? values : Array.ConvertAll(filters, filter => values[filter]);

    private float[] ToFinite(Source source, float[] values) =>
        FilterArithmetic.AreFinite(values) ? values : throw PreparedSource.NotFinite(source.Name, _layer.Name);

    /// <summary>Memory for a block.</summary>
    private sealed class Buffers(int length) : IDisposable
    {
        public float[] Values { get; } = ArrayPool<float>.Shared.Rent(length);

        public float[] Row { get; } = ArrayPool<float>.Shared.Rent(length);

        public double[] Sum { get; } = ArrayPool<double>.Shared.Rent(length);

        public void Dispose()
        {
            ArrayPool<float>.Shared.Return(Values);
            ArrayPool<float>.Shared.Return(Row);
            ArrayPool<double>.Shared.Return(Sum);
        }
    }
}
