using MedMerge.Models;

namespace MedMerge.Merging;

/// <summary>
/// One float64 number for every filter of every source of one architecture: α, the logits θ behind it, or a gradient of either.
/// </summary>
public sealed class KernelWeightMatrix
{
    /// <summary>All zeros.</summary>
    public KernelWeightMatrix(Architecture architecture, int sources)
        : this(architecture, sources, new double[sources * architecture.Filters])
    {
    }

    /// <param name="values">[sources × filters], row-major; not copied.</param>
    /// <exception cref="ArgumentException">There are more or fewer values.</exception>
    public KernelWeightMatrix(Architecture architecture, int sources, double[] values)
    {
        if (values.Length != sources * architecture.Filters)
        {
            throw new ArgumentException(
                $"{sources} sources of a {architecture.Title} have {sources * architecture.Filters} kernel weights, not {values.Length}.",
                nameof(values));
        }
        Architecture = architecture;
        Sources = sources;
        Values = values;
    }

    /// <summary>The sources' architecture.</summary>
    public Architecture Architecture { get; }

    /// <summary>The number of sources.</summary>
    public int Sources { get; }

    /// <summary>Filters of one source, over all layers.</summary>
    public int Filters => Architecture.Filters;

    /// <summary>[sources × filters], row-major, with the filters of all layers in one row: how they are stored and sent.</summary>
    public double[] Values { get; }

    /// <summary>The number of a source's filter in a layer.</summary>
    public double this[int source, int layer, int filter]
    {
        get => this[source, Architecture.FilterOffset(layer) + filter];
        set => this[source, Architecture.FilterOffset(layer) + filter] = value;
    }

    /// <summary>The number of a source's filter, counted over all layers.</summary>
    public double this[int source, int filter]
    {
        get => Values[(source * Filters) + filter];
        set => Values[(source * Filters) + filter] = value;
    }

    /// <summary>A source's numbers in all layers, [filters].</summary>
    public Span<double> Row(int source) => Values.AsSpan(source * Filters, Filters);

    /// <summary>A source's numbers in one layer, [out].</summary>
    public Span<double> Row(int source, int layer) =>
        Row(source).Slice(Architecture.FilterOffset(layer), Architecture.Layers[layer].Out);

    /// <summary>Other numbers for the same sources and filters.</summary>
    public KernelWeightMatrix With(double[] values) => new(Architecture, Sources, values);
}
