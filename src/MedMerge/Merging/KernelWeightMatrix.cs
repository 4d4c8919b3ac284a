using MedMerge.Models;

namespace MedMerge.Merging;

/// <summary>
/// One float64 number for every filter, or every 2D kernel, of every source of one architecture: α, the logits θ behind it, or a gradient
/// of either.
/// </summary>
public sealed class KernelWeightMatrix
{
    /// <summary>All zeros, one a filter.</summary>
    internal KernelWeightMatrix(Architecture architecture, int sources)
        : this(architecture, sources, new double[sources * architecture.Filters])
    {
    }

    /// <param name="values">[sources × weights of one], row-major; not copied. How many there are tells filters from 2D kernels.</param>
    /// <exception cref="ArgumentException">There are more or fewer values.</exception>
    internal KernelWeightMatrix(Architecture architecture, int sources, double[] values)
        : this(architecture, sources, values, FindLayout(architecture, sources, values.Length))
    {
    }

    private KernelWeightMatrix(Architecture architecture, int sources, double[] values, KernelWeightLayout layout)
    {
        Architecture = architecture;
        Sources = sources;
        Values = values;
        Layout = layout;
    }

    /// <summary>Kernel weights under which all sources weigh the same.</summary>
    /// <param name="architecture">The sources' architecture, as <see cref="MergeInputs.Architecture"/> names it.</param>
    /// <exception cref="InputException">There is no such architecture, or not of that width.</exception>
    public static KernelWeightMatrix Uniform(string architecture, int sources, double width = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sources);
        var weights = new KernelWeightMatrix(Architectures.Create(architecture, width), sources);
        weights.Values.AsSpan().Fill(1.0 / sources);
        return weights;
    }

    /// <summary>The sources' architecture.</summary>
    internal Architecture Architecture { get; }

    /// <summary>The number of sources.</summary>
    public int Sources { get; }

    /// <summary>The layers' names in the model, in its order.</summary>
    public IReadOnlyList<string> Layers => [.. Architecture.Layers.Select(layer => layer.Name)];

    /// <summary>What has a number.</summary>
    internal KernelWeightLayout Layout { get; }

    /// <summary>Numbers of one source, over all layers.</summary>
    internal int Count => Layout.Count;

    /// <summary>[sources × <see cref="Count"/>], row-major, with those of all layers in one row: how they are stored and sent.</summary>
    internal double[] Values { get; }

    /// <summary>The number of a source's filter in a layer; where its 2D kernels have their own, their mean.</summary>
    public double this[int source, int layer, int filter]
    {
        get => Mean(Filter(source, layer, filter));
        set => Filter(source, layer, filter).Fill(value);
    }

    /// <summary>A number of a source, counted over all layers.</summary>
    internal double this[int source, int index]
    {
        get => Values[(source * Count) + index];
        set => Values[(source * Count) + index] = value;
    }

    /// <summary>A source's numbers in all layers, [<see cref="Count"/>].</summary>
    internal Span<double> Row(int source) => Values.AsSpan(source * Count, Count);

    /// <summary>A source's numbers in one layer, one for each of its filters, or of its 2D kernels, filter by filter.</summary>
    public Span<double> Row(int source, int layer) => Row(source).Slice(Layout.Offset(layer), Layout.Length(layer));

    /// <summary>The shape of all sources' numbers in a layer: [sources, out], or [sources, out, in].</summary>
    internal long[] ShapeOf(int layer)
    {
        var parts = Layout.Parts(layer);
        return parts == 1 ? [Sources, Architecture.Layers[layer].Out] : [Sources, Architecture.Layers[layer].Out, parts];
    }

    /// <summary>A source's numbers in one layer by filter, [out]: those of its biases.</summary>
    internal double[] FilterRow(int source, int layer) =>
        [.. Enumerable.Range(0, Architecture.Layers[layer].Out).Select(filter => this[source, layer, filter])];

    /// <summary>Other numbers for the same sources and filters.</summary>
    internal KernelWeightMatrix With(double[] values) => values.Length == Values.Length
        ? new KernelWeightMatrix(Architecture, Sources, values, Layout)
        : throw new ArgumentException($"There are {values.Length} kernel weights, not {Values.Length}.", nameof(values));

    private Span<double> Filter(int source, int layer, int filter)
    {
        var parts = Layout.Parts(layer);
        return Row(source, layer).Slice(filter * parts, parts);
    }

    private static double Mean(ReadOnlySpan<double> values)
    {
        if (values.Length == 1) return values[0];
        var sum = 0.0;
        foreach (var value in values) sum += value;
        return sum / values.Length;
    }

    private static KernelWeightLayout FindLayout(Architecture architecture, int sources, int values)
    {
        if (values % sources == 0) return KernelWeightLayout.Of(architecture, values / sources);
        throw new ArgumentException($"{values} kernel weights are not the same number for each of {sources} sources.", nameof(values));
    }
}
