using System.Globalization;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Results;
using MedMerge.Merging;
using MedMerge.Statistics;

namespace MedMerge.Reporting;

/// <summary>
/// The comparison of a run's methods in per cent, with the verdict, as Markdown that also reads well in a terminal.
/// </summary>
internal static class ComparisonTable
{
    /// <summary>Roles that a reader must know about to read a row rightly.</summary>
    private static readonly IReadOnlyDictionary<MethodRole, string> RoleLabels = new Dictionary<MethodRole, string>
    {
        [MethodRole.Control] = " (control)",
        [MethodRole.UpperBound] = " (upper bound)",
    };

    /// <summary>Renders the tables of all scenarios.</summary>
    public static string Render(SweepResult result) => string.Join("\n", result.Scenarios.Select(Render));

    /// <summary>Renders the table of a scenario.</summary>
    public static string Render(ScenarioResult result)
    {
        var rows = new List<IReadOnlyList<string>> { (string[])["method", "macro F1", "accuracy", "AUC", "Δ F1", "Δ AUC"] };
        rows.AddRange(result.Summaries.Select(CreateRow));
        return $"""
            {CreateHeading(result)}
            Sources: {string.Join(", ", result.Scenario.Sources.Select(source => source.Title))}
            Settings: {SettingsText.Render(result.Scenario)}

            {TextTable.Render(rows)}
            In per cent: mean and 95 % interval over seeds. {DescribeDifference(result)}

            {Verdict.Of(result)}

            {DescribeCertificate(result)}
            """ + "\n";
    }

    private static string CreateHeading(ScenarioResult result)
    {
        var scenario = result.Scenario;
        var seeds = scenario.Seeds.Count == 1 ? "1 seed" : $"{scenario.Seeds.Count} seeds";
        return $"{scenario.Name}: {scenario.Architecture} on {scenario.Target.Title}, {scenario.Target.TestImages} test images, " +
               $"{seeds}, {scenario.Settings.Budget} passes over the training images for every method";
    }

    private static string[] CreateRow(MethodSummary summary) =>
    [
        summary.Method.Title + RoleLabels.GetValueOrDefault(summary.Method.Role, ""),
        FormatMean(summary.MacroF1),
        FormatMean(summary.Accuracy),
        FormatMean(summary.Auc),
        summary.Difference is null ? "–" : FormatDifference(summary.Difference.MacroF1),
        summary.Difference is null ? "–" : FormatDifference(summary.Difference.Auc),
    ];

    private static string DescribeDifference(ScenarioResult result)
    {
        if (result.BestSingleSource is not { } best) return "Δ: no single source was run to compare with.";
        var over = result.Scenario.Seeds.Count == 1 ? "test images" : "seeds and test images";
        return $"Δ: paired difference to the best single source ({best.Title}), with its 95 % bootstrap interval over {over}.";
    }

    private static string DescribeCertificate(ScenarioResult result)
    {
        if (result.WorstCertificate is not { } certificate) return "Nothing was merged.";
        var outcome = certificate.Holds ? "it holds" : "IT DOES NOT HOLD";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Certificate: over all merges the folded model differs from its weighted features by at most " +
            $"{certificate.Worst.Relative:0.0e0} of a layer's root mean square ({certificate.Worst.Layer}); " +
            $"{outcome} (limit {Certificate.Limit:0e0}).");
    }

    private static string FormatMean(Interval interval)
    {
        var estimate = string.Create(CultureInfo.InvariantCulture, $"{100 * interval.Estimate:0.0}");
        if (double.IsNaN(interval.Low)) return estimate;
        return string.Create(CultureInfo.InvariantCulture, $"{estimate} ± {100 * (interval.High - interval.Estimate):0.0}");
    }

    private static string FormatDifference(Interval interval) => string.Create(
        CultureInfo.InvariantCulture,
        $"{100 * interval.Estimate:+0.0;−0.0;0.0} [{100 * interval.Low:+0.0;−0.0;0.0}, {100 * interval.High:+0.0;−0.0;0.0}]");
}
