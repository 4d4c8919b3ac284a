using System.Globalization;
using MedMerge.Experiments.Methods;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>The conclusion in plain words: whether merging helped, and whether baselines and controls helped as much.</summary>
internal static class Verdict
{
    /// <summary>Fewer seeds tell too little about what another seed would change.</summary>
    public const int MinSeeds = 5;

    /// <summary>
    /// The verdict in the scenario's metric. A difference counts if its 95 % interval excludes zero. Transfer is spoken of only if merging
    /// helped and beat all controls, including one that isolates transfer.
    /// </summary>
    public static string Of(ScenarioResult result)
    {
        var (outcome, reasons) = Split(result);
        return reasons.Length == 0 ? outcome : $"{outcome} {reasons}";
    }

    /// <summary>The same in two parts.</summary>
    /// <returns>Whether merging helped, in a sentence; and what baselines and controls say about it, empty where that is nothing.</returns>
    public static (string Outcome, string Reasons) Split(ScenarioResult result)
    {
        if (result.Summaries.All(summary => summary.Method.Role != MethodRole.Proposed)) return (DescribeNoMerge(result), "");
        if (result.ToRival is not { } toRival) return (DescribeNoRival(result), "");

        var difference = $"{FormatPoints(toRival.Difference)} of {MetricNames.Get(result.Metric)} against the best single source " +
                         $"({toRival.Other.Title})";
        if (toRival.Seeds < MinSeeds)
        {
            var seeds = toRival.Seeds == 1 ? "1 seed" : $"{toRival.Seeds} seeds";
            var images = toRival.Seeds == 1 ? " The interval is over test images alone." : "";
            return ($"No verdict: it takes {MinSeeds} seeds, and there is a result of {seeds}.", $"So far: {difference}.{images}");
        }
        var helped = toRival.Difference.IsAboveZero;
        return (
            $"{DescribeOutcome(toRival.Difference, result.Scenario.Settings.EquivalenceMargin)}: {difference}.",
            $"{DescribeBaselines(result)}{DescribeControls(result, helped)}");
    }

    /// <summary>A difference in a sentence; its interval where it has one.</summary>
    public static string FormatPoints(Interval difference)
    {
        var points = $"{Points.Format(difference.Estimate)} points";
        return double.IsNaN(difference.Low) ? points : $"{points} (95 % interval {Points.FormatEnds(difference, " to ")})";
    }

    private static string DescribeNoMerge(ScenarioResult result)
    {
        var name = MethodRegistry.Proposed.Name;
        var missing = result.Missing.Where(trial => trial.Trial.Row.Role == MethodRole.Proposed).ToList();
        return missing.Count == 0
            ? $"{name} was not among the methods, so there is no verdict on merging."
            : $"No verdict on merging: of {name}, {MissingTrial.Describe(missing, missing.Count, "trials")}.";
    }

    private static string DescribeNoRival(ScenarioResult result)
    {
        var missing = result.Missing.Where(trial => trial.Trial.Row.Role == MethodRole.SingleSource).ToList();
        if (missing.Count == 0) return "No single source was fine-tuned beside it, so there is nothing to compare merging with.";
        var rows = missing.GroupBy(trial => trial.Trial.Row).Select(row => row.All(trial => trial.HasFailed)
            ? $"{row.Key.Title} (failed)"
            : row.Key.Title);
        return $"No verdict on merging: the best single source is not known without results of {string.Join(", ", rows)}.";
    }

    private static string DescribeOutcome(Interval difference, double margin)
    {
        var isEquivalent = margin > 0 && difference.IsWithin(margin);
        var within = isEquivalent
            ? string.Create(CultureInfo.InvariantCulture, $", by less than the margin of {100 * margin:0.0} points")
            : "";
        return difference switch
        {
            { IsAboveZero: true } => $"Merging helped{within}",
            { IsBelowZero: true } => $"Merging hurt{within}",
            _ when isEquivalent => $"Merging made no difference that matters{within}",
            _ => "Merging did not help measurably",
        };
    }

    private static string DescribeBaselines(ScenarioResult result) =>
        string.Concat(result.Comparisons.Where(comparison => comparison.Other.Role == MethodRole.Baseline).Select(DescribeBaseline));

    private static string DescribeBaseline(MethodComparison comparison)
    {
        var noun = comparison.Other.Method.Noun;
        var points = FormatPoints(comparison.Difference);
        if (comparison.Difference.IsBelowZero) return $"But the {noun} was better: {points} between them. ";
        if (!comparison.Other.Method.IsolatesLearning || comparison.Difference.IsAboveZero) return "";
        return $"The {noun} was not measurably worse: {points} between them, so learning the kernel weights added nothing measurable. ";
    }

    private static string DescribeControls(ScenarioResult result, bool helped)
    {
        var controls = result.Comparisons.Where(comparison => comparison.Other.Role == MethodRole.Control).ToList();
        var isMissing = result.Missing.Any(trial => trial.Trial.Row.Role == MethodRole.Control);
        var was = isMissing ? "has a result" : "was run";
        if (controls.Count == 0) return $"No control {was}, so nothing can be said about transfer.";
        var comparisons = string.Concat(controls.Select(DescribeControl));
        if (!controls.Any(control => control.Other.Method.IsolatesTransfer))
        {
            var missing = MethodRegistry.All.Where(method => method.IsolatesTransfer).Select(method => method.Noun);
            return comparisons + $"Neither the {string.Join(" nor the ", missing)} {was}, so nothing can be said about transfer.";
        }
        var beatAll = controls.All(control => control.Difference.IsAboveZero);
        return comparisons + (helped, beatAll) switch
        {
            (true, true) => "This is consistent with the partner's having learned what helps here.",
            (true, false) => "So the gain need not come from what the partner has learned: no transfer is shown.",
            (false, true) => "So the partner adds something, yet not enough to beat the best single source: no transfer is claimed.",
            (false, false) => "So no transfer from the partner is shown.",
        };
    }

    private static string DescribeControl(MethodComparison control)
    {
        var noun = control.Other.Method.Noun;
        return control.Difference switch
        {
            { IsAboveZero: true } difference => $"It beat the {noun} by {FormatPoints(difference)}. ",
            { IsBelowZero: true } difference => $"The {noun} was better: {FormatPoints(difference)} between them. ",
            var difference => $"The {noun} was not measurably worse: {FormatPoints(difference)} between them. ",
        };
    }
}
