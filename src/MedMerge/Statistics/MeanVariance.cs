namespace MedMerge.Statistics;

/// <summary>A part of the variance of a mean, and how well it is known.</summary>
/// <param name="Value">The variance; NaN where it is not known.</param>
/// <param name="Degrees">Its degrees of freedom, at least 1 unless it is zero.</param>
internal readonly record struct MeanVariance(double Value, int Degrees)
{
    /// <summary>No variance, because there is one value alone.</summary>
    public static MeanVariance None { get; }

    /// <summary>The square of the half width of an interval over this part alone.</summary>
    /// <param name="tail">The probability of missing the mean: 0.05 for a 95 % interval.</param>
    public double SquareHalfWidth(double tail)
    {
        if (Value == 0) return 0;
        var quantile = StudentT.TwoSidedQuantile(tail, Degrees);
        return quantile * quantile * Value;
    }

    /// <summary>The variance of the mean times a factor.</summary>
    public MeanVariance Scale(double factor) => this with { Value = factor * factor * Value };

    /// <summary>The variance of the mean of independent means; the degrees of freedom add up, as in a pooled variance.</summary>
    public static MeanVariance OfMean(IReadOnlyCollection<MeanVariance> parts) => new(
        parts.Sum(part => part.Value) / ((double)parts.Count * parts.Count),
        parts.Sum(part => part.Degrees));
}
