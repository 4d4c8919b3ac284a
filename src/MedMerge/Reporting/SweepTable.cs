using System.Globalization;
using MedMerge.Experiments.Results;
using MedMerge.Statistics;

namespace MedMerge.Reporting;

/// <summary>What several scenarios say together, as texts in per cent, for whatever shows it.</summary>
/// <param name="Methods">The heading, then a row for each method; empty where no scenario has a single source to compare with.</param>
/// <param name="MethodNotes">How to read them, or why there are none; in lines as wide as a terminal's.</param>
/// <param name="Effects">The heading, then a row for each value of a varied setting; empty where none was varied.</param>
/// <param name="EffectNotes">How to read them.</param>
internal sealed record SweepTable(
    string Heading,
    IReadOnlyList<IReadOnlyList<string>> Methods,
    string MethodNotes,
    IReadOnlyList<IReadOnlyList<string>> Effects,
    string EffectNotes)
{
    /// <summary>Formats the comparison.</summary>
    public static SweepTable Of(SweepComparison comparison)
    {
        var isCompared = comparison.Methods.Count > 0;
        var difference = "Δ " + MetricNames.GetShort(comparison.Metric);
        return new SweepTable(
            $"All {comparison.Scenarios} scenarios together",
            !isCompared ? [] :
            [
                ["method", "scenarios", "targets", "mean rank", difference, "verdicts", "helped", "harmed"],
                .. comparison.Methods.Select(CreateRow),
            ],
            !isCompared
                ? "No scenario has a single source to compare with: add a method such as restored, fine-tune or lp-ft."
                : $"""
                    Of several rows of a method in a scenario the best on validation counts. Δ: mean difference to the scenario's best
                    single source, in per cent, each target counting once.
                    {DescribeInterval(comparison)}
                    {DescribeVerdicts(comparison)}
                    """,
            comparison.Effects.Count == 0 ? [] :
            [
                ["setting", "value", "scenarios", MetricNames.Get(comparison.Metric), difference],
                .. comparison.Effects.Select(CreateRow),
            ],
            $"Of the proposed method. {DescribeEffects(comparison)}");
    }

    /// <summary>Renders the methods over all scenarios, then the effects of varied settings.</summary>
    public static string Render(SweepComparison comparison)
    {
        var table = Of(comparison);
        var methods = table.Methods.Count == 0 ? "" : TextTable.Render(table.Methods) + "\n";
        var effects = table.Effects.Count == 0 ? "" : $"\n{TextTable.Render(table.Effects)}\n{table.EffectNotes}\n";
        return $"{table.Heading}\n\n{methods}{table.MethodNotes}\n{effects}";
    }

    private static string DescribeInterval(SweepComparison comparison)
    {
        if (comparison.Targets > 1)
        {
            return $"""
                The 95 % interval is for targets like these {comparison.Targets}: Student's t over targets, and nowhere narrower than what
                seeds and a bootstrap of the test images leave open for just these.
                """;
        }
        var seeds = comparison.Methods.SelectMany(method => method.Comparisons).Select(one => one.Seeds).DefaultIfEmpty().Max();
        return seeds > 1
            ? "There is one target: the 95 % interval covers its seeds and test images, and says nothing about other targets."
            : "There is one target: the 95 % interval covers its test images alone, and says nothing about other seeds or targets.";
    }

    private static string DescribeVerdicts(SweepComparison comparison) => comparison.Methods.All(method => method.Verdicts == 0)
        ? $"Helped and harmed: no scenario has a verdict, which takes {Verdict.MinSeeds} seeds."
        : $"""
            Helped and harmed: scenarios that differ from the best single source, with p-values adjusted for all verdicts of the
            method together (Holm): by chance alone there is any of them in at most 5 % of sweeps. A verdict takes {Verdict.MinSeeds} seeds.
            """;

    private static string DescribeEffects(SweepComparison comparison)
    {
        var unmatched = comparison.Effects.Where(effect => !effect.IsMatched).Select(effect => effect.Setting).Distinct().ToList();
        const string Matched = "Means over the scenarios that there are with every value of the setting, all else being equal";
        const string Unmatched = "means over all scenarios that have the value, which differ in more than the setting";
        if (unmatched.Count == 0) return Matched + ".";
        return $"{Matched}; of {string.Join(", ", unmatched)}, {Unmatched}.";
    }

    private static string[] CreateRow(MethodOverall method) =>
    [
        method.Method.Name,
        $"{method.Scenarios}",
        $"{method.Targets}",
        method.MeanRank.ToString("0.0", CultureInfo.InvariantCulture),
        FormatDifference(method.Difference),
        $"{method.Verdicts}",
        method.Verdicts == 0 ? "–" : $"{method.Helped}",
        method.Verdicts == 0 ? "–" : $"{method.Harmed}",
    ];

    private static string[] CreateRow(SettingEffect effect) =>
    [
        effect.Setting,
        effect.Value,
        $"{effect.Scenarios}",
        Percent.Format(effect.Score),
        effect.Difference is { } difference ? Points.Format(difference) : "–",
    ];

    private static string FormatDifference(Interval difference)
    {
        if (double.IsNaN(difference.Estimate)) return "–";
        var estimate = Points.Format(difference.Estimate);
        return double.IsNaN(difference.Low) ? estimate : $"{estimate} [{Points.FormatEnds(difference, ", ")}]";
    }
}
