using System.Text.Json.Serialization;

namespace MedMerge.Statistics;

/// <summary>An estimate with its 95 % interval; NaN bounds where there is too little to say.</summary>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
internal sealed record Interval(double Estimate, double Low, double High)
{
    /// <summary>Mean and Student's t interval over independent values, such as one score a seed. One value has no interval.</summary>
    public static Interval OfMean(IReadOnlyList<double> values)
    {
        var mean = values.Average();
        if (values.Count < 2) return new Interval(mean, double.NaN, double.NaN);
        var deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
        var half = StudentT.Quantile975(values.Count - 1) * deviation / Math.Sqrt(values.Count);
        return new Interval(mean, mean - half, mean + half);
    }

    /// <summary>Whether the whole interval lies above 0.</summary>
    [JsonIgnore]
    public bool IsAboveZero => Low > 0;

    /// <summary>Whether the whole interval lies below 0.</summary>
    [JsonIgnore]
    public bool IsBelowZero => High < 0;

    /// <summary>Whether the whole interval lies within ± <paramref name="margin"/>.</summary>
    public bool IsWithin(double margin) => Low > -margin && High < margin;
}
