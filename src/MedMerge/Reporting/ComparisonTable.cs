using System.Globalization;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Results;
using MedMerge.Merging;
using MedMerge.Statistics;

namespace MedMerge.Reporting;

/// <summary>The table at the end of a run, in per cent, with the verdict below. Printed, written and quoted as it is.</summary>
public static class ComparisonTable
{
    /// <summary>Renders it as Markdown.</summary>
    public static string Render(ScenarioResult result)
    {
        var specification = result.Plan.Specification;
        var seeds = specification.Seeds.Count;
        var rows = new List<IReadOnlyList<string>> { (string[])["method", "macro F1", "accuracy", "AUC", "Δ F1", "Δ AUC"] };
        rows.AddRange(result.Summaries.Select(summary => (string[])
        [
            summary.Method.Title + (MethodNames.IsControl(summary.Method.Kind) ? " (control)" : ""),
            Show(summary.MacroF1), Show(summary.Accuracy), Show(summary.Auc),
            summary.Difference is { } d ? Difference(d.MacroF1) : "–",
            summary.Difference is { } e ? Difference(e.Auc) : "–",
        ]));
        var rival = result.BestSingleSource is { } best
            ? $"Δ: paired difference to the best single source ({best.Title}), with its 95 % bootstrap interval over {(seeds == 1 ? "test images" : "seeds and test images")}."
            : "Δ: no single source was run to compare with.";
        return $"""
            {specification.Name}: {specification.Architecture.Title} on {result.Plan.Target.Title}, {result.Plan.Target.Test.Count} test images, {seeds} seed{(seeds == 1 ? "" : "s")}, {specification.Budget} passes over the training images for every method
            Sources: {string.Join(", ", result.Plan.SourceTitles)}

            {TextTable.Render(rows)}
            In per cent: mean and 95 % interval over seeds. {rival}

            {Verdict.Of(result)}

            {CertificateLine(result)}
            """ + "\n";
    }

    private static string CertificateLine(ScenarioResult result) => result.WorstCertificate is { } certificate
        ? string.Create(CultureInfo.InvariantCulture,
            $"Certificate: over all merges the folded model differs from its weighted features by at most {certificate.Worst.Relative:0.0e0} of a layer's root mean square ({certificate.Worst.Layer}); {(certificate.Holds ? "it holds" : "IT DOES NOT HOLD")} (limit {Certificate.Limit:0e0}).")
        : "Nothing was merged.";

    private static string Show(Interval interval) => double.IsNaN(interval.Low)
        ? string.Create(CultureInfo.InvariantCulture, $"{100 * interval.Estimate:0.0}")
        : string.Create(CultureInfo.InvariantCulture, $"{100 * interval.Estimate:0.0} ± {100 * (interval.High - interval.Estimate):0.0}");

    private static string Difference(Interval interval) => string.Create(CultureInfo.InvariantCulture,
        $"{100 * interval.Estimate:+0.0;−0.0;0.0} [{100 * interval.Low:+0.0;−0.0;0.0}, {100 * interval.High:+0.0;−0.0;0.0}]");
}
