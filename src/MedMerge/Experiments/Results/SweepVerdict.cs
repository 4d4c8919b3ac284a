using MedMerge.Experiments.Methods;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>What several scenarios say together, in a sentence or two.</summary>
internal static class SweepVerdict
{
    /// <summary>About the proposed method.</summary>
    public static string Of(SweepComparison comparison)
    {
        var proposed = comparison.Methods.FirstOrDefault(method => method.Method.Role == MethodRole.Proposed);
        if (proposed is null || double.IsNaN(proposed.Difference.Estimate))
            return $"Nothing can be said about merging: no scenario has results of {MethodRegistry.Proposed.Name} and of a single source.";
        var over = proposed.Scenarios == 1 ? "one scenario" : $"{proposed.Scenarios} scenarios";
        var difference = $"Over {over}, merging differs from the best single source by {Verdict.FormatPoints(proposed.Difference)} of " +
                         $"{MetricNames.Get(comparison.Metric)}.";
        if (proposed.Verdicts == 0) return $"{difference} No scenario has a verdict, which takes {Verdict.MinSeeds} seeds.";
        var verdicts = proposed.Verdicts == 1 ? "1 verdict" : $"{proposed.Verdicts} verdicts";
        return $"{difference} Of {verdicts}, it helped in {proposed.Helped} and hurt in {proposed.Harmed}.";
    }
}
