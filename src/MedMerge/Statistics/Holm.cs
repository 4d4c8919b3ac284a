namespace MedMerge.Statistics;

/// <summary>Holm's step-down correction (Holm 1979): the chance of any false alarm among several tests stays at one test's.</summary>
internal static class Holm
{
    /// <summary>Adjusts p-values, so that each can be compared with the level of a single test. The order is kept.</summary>
    public static double[] Adjust(IReadOnlyList<double> pValues)
    {
        var adjusted = new double[pValues.Count];
        var largest = 0.0;
        foreach (var ((p, index), rank) in pValues.Select((p, index) => (p, index)).OrderBy(test => test.p).Select((test, i) => (test, i)))
        {
            largest = Math.Max(largest, Math.Min(1, (pValues.Count - rank) * p));
            adjusted[index] = largest;
        }
        return adjusted;
    }
}
