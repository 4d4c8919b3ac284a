using System.Globalization;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Results;
using MedMerge.Merging;
using MedMerge.Statistics;

namespace MedMerge.Reporting;

/// <summary>
/// A scenario's comparison as texts, in per cent, for whatever shows it: a terminal, a file or a page.
/// </summary>
/// <param name="Heading">What was compared, on what, in one line.</param>
/// <param name="Incomplete">Which trials have no result, in one line; null if all have.</param>
/// <param name="Sources">The source models with their origin.</param>
/// <param name="Settings">The settings that differ from the defaults, in one line.</param>
/// <param name="Header">The columns' names; the first is that of the methods.</param>
/// <param name="Rows">A cell for each column, in the plan's order.</param>
/// <param name="Notes">How to read the table, and what went wrong in training, a sentence or two each.</param>
/// <param name="VerdictText">Whether merging helped.</param>
/// <param name="CertificateText">How exact the merges are.</param>
internal sealed record ScenarioTable(
    string Heading,
    string? Incomplete,
    IReadOnlyList<string> Sources,
    string Settings,
    IReadOnlyList<string> Header,
    IReadOnlyList<IReadOnlyList<string>> Rows,
    IReadOnlyList<string> Notes,
    string VerdictText,
    string CertificateText)
{
    /// <summary>Roles that a reader must know about to read a row rightly.</summary>
    private static readonly IReadOnlyDictionary<MethodRole, string> RoleLabels = new Dictionary<MethodRole, string>
    {
        [MethodRole.Control] = "control",
        [MethodRole.UpperBound] = "upper bound",
    };

    /// <summary>Formats a scenario's results.</summary>
    public static ScenarioTable Of(ScenarioResult result)
    {
        var scores = ChooseScores(result.Metric);
        var differences = ChooseDifferences(result.Metric);
        return new ScenarioTable(
            CreateHeading(result),
            DescribeMissing(result),
            [.. result.Scenario.Sources.Select(source => source.Title)],
            SettingsText.Render(result.Scenario),
            [
                "method",
                .. scores.Select(MetricNames.Get),
                .. differences.Select(metric => "Δ " + MetricNames.GetShort(metric)),
            ],
            [.. result.Summaries.Select(CreateRow)],
            [
                $"In per cent: mean and 95 % interval over seeds. {DescribeDifferences(result, differences)}",
                "Seeds vary what a trial draws: batches, augmentation, the partners of controls. " +
                "Sources, the split and the training images are the same for all.",
                .. DescribeAnchor(result),
                .. TrainingNotes.Of(result),
            ],
            Verdict.Of(result),
            DescribeCertificate(result.WorstCertificate, "over all merges "));

        string[] CreateRow(MethodSummary summary) =>
        [
            CreateTitle(result, summary),
            .. scores.Select(metric => FormatMean(summary.Scores[metric])),
            .. differences.Select(metric => FormatDifference(summary.Differences.GetValueOrDefault(metric))),
        ];
    }

    /// <summary>How exact a merge is, in a sentence.</summary>
    /// <param name="scope">Where that is, with a space behind it; empty for one merge.</param>
    public static string DescribeCertificate(Certificate? certificate, string scope)
    {
        if (certificate is null) return "Nothing was merged.";
        var outcome = certificate.Holds ? "it holds" : "IT DOES NOT HOLD";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Certificate: {scope}the folded model differs from its weighted features by at most " +
            $"{certificate.Worst.Relative:0.0e0} of a layer's root mean square ({certificate.Worst.Layer}); " +
            $"{outcome} (limit {Certificate.Limit:0e0}).");
    }

    /// <summary>A mean with half of its interval, in per cent.</summary>
    public static string FormatMean(Interval interval)
    {
        var estimate = Percent.Format(interval.Estimate);
        if (double.IsNaN(interval.Low)) return estimate;
        return string.Create(CultureInfo.InvariantCulture, $"{estimate} ± {100 * (interval.High - interval.Estimate):0.0}");
    }

    /// <summary>The scenario's metric comes first.</summary>
    private static List<Metric> ChooseScores(Metric first) =>
        [first, .. new[] { Metric.MacroF1, Metric.Accuracy, Metric.Auc }.Where(metric => metric != first)];

    private static Metric[] ChooseDifferences(Metric first) => [first, first == Metric.Auc ? Metric.MacroF1 : Metric.Auc];

    private static string CreateHeading(ScenarioResult result)
    {
        var scenario = result.Scenario;
        var count = result.Seeds.Count();
        var seeds = scenario.Seeds.Count == 1 ? "1 seed" : $"{scenario.Seeds.Count} seeds";
        if (result.Missing.Count > 0 && count < scenario.Seeds.Count) seeds = $"{count} of {seeds}";
        var rates = scenario.Settings.LearningRates.Count;
        var tries = rates == 1 ? "" : $", the best of {rates} learning rates on validation";
        var others = result.Summaries.Any(summary => GetPasses(result, summary) != scenario.Settings.Budget) ? " but those marked" : "";
        return $"{scenario.Name}: {scenario.Architecture} on {scenario.Target.Title}, {scenario.Target.TestImages} test images, " +
               $"{seeds}, {scenario.Settings.Budget} passes over the training images for every method{others}{tries}";
    }

    /// <summary>A line that says what has no result, method by method; null once everything has.</summary>
    private static string? DescribeMissing(ScenarioResult result)
    {
        if (result.Missing.Count == 0) return null;
        var planned = result.Trials.Count + result.Missing.Count;
        var rows = result.Missing.GroupBy(trial => trial.Trial.Row).Select(row =>
        {
            var failed = row.Count(trial => trial.HasFailed);
            var state = failed == 0 ? $"{row.Count()} missing" : $"{row.Count()} missing, {failed} failed";
            return $"{row.Key.Title} ({state})";
        });
        return $"INCOMPLETE: {MissingTrial.Describe(result.Missing, planned, "trials")}: {string.Join(", ", rows)}";
    }

    private static string CreateTitle(ScenarioResult result, MethodSummary summary)
    {
        var method = summary.Method.Method;
        var notes = new List<string>();
        if (RoleLabels.TryGetValue(method.Role, out var role)) notes.Add(role);
        var passes = GetPasses(result, summary);
        if (passes != result.Scenario.Settings.Budget) notes.Add($"{passes} passes");
        if (summary.Seeds < result.Scenario.Seeds.Count) notes.Add($"{summary.Seeds} of {result.Scenario.Seeds.Count} seeds");
        return notes.Count == 0 ? summary.Method.Title : $"{summary.Method.Title} ({string.Join(", ", notes)})";
    }

    private static int GetPasses(ScenarioResult result, MethodSummary summary) =>
        summary.Method.Method.GetPasses(result.Scenario.Settings.Budget, result.Scenario.Sources.Count);

    private static string DescribeDifferences(ScenarioResult result, IEnumerable<Metric> metrics)
    {
        if (result.Rivals.Count == 0)
        {
            var isMissing = result.Missing.Any(trial => trial.Trial.Row.Role == MethodRole.SingleSource);
            return isMissing
                ? "Δ: none, because a single source has no result."
                : "Δ: no single source was run to compare with.";
        }
        var rivals = metrics
            .Where(result.Rivals.ContainsKey)
            .GroupBy(metric => result.Rivals[metric])
            .Select(group => $"{group.Key.Title} for {string.Join(" and ", group.Select(MetricNames.Get))}");
        var isOneSeed = result.Scenario.Seeds.Count == 1 || result.Summaries.All(summary => summary.Seeds == 1);
        var over = isOneSeed ? "test images" : "seeds and test images";
        return $"Δ: paired difference to the single source that is best on validation ({string.Join(", ", rivals)}), with its 95 % " +
               $"interval over {over}.";
    }

    private static IEnumerable<string> DescribeAnchor(ScenarioResult result)
    {
        if (result.AnchorChoice is not { } choice) yield break;
        var scores = result.Scenario.Sources.Zip(choice.Scores, (source, score) =>
            string.Create(CultureInfo.InvariantCulture, $"{source.Name} {100 * score:0.0}"));
        yield return $"The anchor is {result.Anchor}, whose linear probe is best on validation " +
                     $"({MetricNames.Get(result.Metric)}: {string.Join(", ", scores)}).";
    }

    private static string FormatDifference(Interval? interval) => interval is null
        ? "–"
        : $"{Points.Format(interval.Estimate)} [{Points.FormatEnds(interval, ", ")}]";
}
