namespace MedMerge.Statistics;

/// <summary>
/// Adjusts p-values that are looked at together (Holm 1979): the chance that any true null hypothesis is rejected at level α is at most α,
/// however the p-values depend on each other.
/// </summary>
internal static class HolmAdjustment
{
    /// <summary>Sorted p(1) ≤ … ≤ p(m) become max over j ≤ i of (m − j + 1) · p(j), at most 1.</summary>
    /// <param name="values">p-values, none of them NaN.</param>
    /// <returns>In the same order.</returns>
    public static double[] Adjust(IReadOnlyList<double> values)
    {
        var adjusted = new double[values.Count];
        var largest = 0.0;
        foreach (var (rank, position) in Enumerable.Range(0, values.Count).OrderBy(i => values[i]).Index())
        {
            largest = Math.Max(largest, Math.Min(1, (values.Count - rank) * values[position]));
            adjusted[position] = largest;
        }
        return adjusted;
    }
}
