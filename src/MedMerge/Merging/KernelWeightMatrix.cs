using MedMerge.Models;

namespace MedMerge.Merging;

/// <summary>
/// One float64 number for every filter of every source of one architecture: α, the logits θ behind it, or a gradient of either.
/// </summary>
public sealed class KernelWeightMatrix
{
    /// <summary>All zeros.</summary>
    internal KernelWeightMatrix(Architecture architecture, int sources)
        : this(architecture, sources, new double[sources * architecture.Filters])
    {
    }

    /// <param name="values">[sources × filters], row-major; not copied.</param>
    /// <exception cref="ArgumentException">There are more or fewer values.</exception>
    internal KernelWeightMatrix(Architecture architecture, int sources, double[] values)
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

    /// <summary>Filters of one source, over all layers.</summary>
    internal int Filters => Architecture.Filters;

    /// <summary>[sources × filters], row-major, with the filters of all layers in one row: how they are stored and sent.</summary>
    internal double[] Values { get; }

    /// <summary>The number of a source's filter in a layer.</summary>
    public double this[int source, int layer, int filter]
    {
        get => this[source, Architecture.FilterOffset(layer) + filter];
        set => this[source, Architecture.FilterOffset(layer) + filter] = value;
    }

    /// <summary>The number of a source's filter, counted over all layers.</summary>
    internal double this[int source, int filter]
    {
        get => Values[(source * Filters) + filter];
        set => Values[(source * Filters) + filter] = value;
    }

    /// <summary>A source's numbers in all layers, [filters].</summary>
    internal Span<double> Row(int source) => Values.AsSpan(source * Filters, Filters);

    /// <summary>A source's numbers in one layer, one for each of its filters.</summary>
    public Span<double> Row(int source, int layer) =>
        Row(source).Slice(Architecture.FilterOffset(layer), Architecture.Layers[layer].Out);

    /// <summary>Other numbers for the same sources and filters.</summary>
    internal KernelWeightMatrix With(double[] values) => new(Architecture, Sources, values);
}
