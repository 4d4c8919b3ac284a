namespace MedMerge.Merging;

/// <summary>A source's kernel weights in a layer.</summary>
/// <param name="Mean">Over the layer's kernels.</param>
/// <param name="Deviation">Their standard deviation.</param>
internal sealed record WeightSpread(double Mean, double Deviation);

/// <summary>The kernel weights of a layer.</summary>
/// <param name="Layer">Its name in the model.</param>
/// <param name="Sources">One for each source.</param>
internal sealed record LayerWeights(string Layer, IReadOnlyList<WeightSpread> Sources);

/// <summary>Kernel weights layer by layer: the many of a layer as their mean and how far they spread.</summary>
/// <param name="Sources">Their names.</param>
/// <param name="Layers">In the model's order.</param>
internal sealed record KernelWeightSummary(IReadOnlyList<string> Sources, IReadOnlyList<LayerWeights> Layers)
{
    /// <summary>Summarises α.</summary>
    /// <param name="sources">The names of its rows.</param>
    public static KernelWeightSummary Of(IReadOnlyList<string> sources, KernelWeightMatrix alpha) => new(
        sources,
        [
            .. alpha.Layers.Select((name, layer) =>
                new LayerWeights(name, [.. sources.Select((_, source) => Spread(alpha.Row(source, layer)))])),
        ]);

    private static WeightSpread Spread(ReadOnlySpan<double> weights)
    {
        var squares = 0.0;
        var mean = KernelWeights.Mean(weights);
        foreach (var weight in weights) squares += (weight - mean) * (weight - mean);
        return new WeightSpread(mean, Math.Sqrt(squares / weights.Length));
    }
}
