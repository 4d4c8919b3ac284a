using System.Globalization;
using MedMerge.Experiments.Methods;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>The conclusion in plain words: whether merging helped, and whether the controls helped as much.</summary>
internal static class Verdict
{
    private const string OneSeed =
        " With one seed the intervals are over test images alone; what another seed would change is not in them.";

    /// <summary>
    /// The verdict on macro F1. A difference counts if its 95 % interval excludes zero. Transfer is claimed only if
    /// merging helped and beat all controls, including one that isolates transfer.
    /// </summary>
    public static string Of(ScenarioResult result)
    {
        var proposed = result.Summaries.FirstOrDefault(summary => summary.Method.Role == MethodRole.Proposed);
        if (proposed is null) return $"{MethodRegistry.Proposed.Name} was not among the methods, so there is no verdict on merging.";
        if (proposed.Difference is not { } difference)
            return "No single source was fine-tuned beside it, so there is nothing to compare merging with.";

        var helped = difference.MacroF1.IsAboveZero;
        var outcome = difference.MacroF1 switch
        {
            { IsAboveZero: true } => "Merging helped",
            { IsBelowZero: true } => "Merging hurt",
            _ => "Merging did not help measurably",
        };
        var isUndecided = !helped && !difference.MacroF1.IsBelowZero;
        var interval = isUndecided ? ", an interval that holds zero" : "";
        var comparison = $"{outcome}: {FormatPoints(difference.MacroF1)} of macro F1 against the best single source " +
                         $"({result.BestSingleSource!.Title}){interval}.";
        var seeds = result.Scenario.Seeds.Count == 1 ? OneSeed : "";
        return $"{comparison} {DescribeControls(result, helped)}{seeds}";
    }

    private static string DescribeControls(ScenarioResult result, bool helped)
    {
        if (result.Controls.Count == 0) return "No control was run, so nothing can be said about transfer.";
        var comparisons = string.Concat(result.Controls.Select(DescribeControl));
        if (!result.Controls.Any(control => control.Control.Method.IsolatesTransfer))
        {
            var missing = MethodRegistry.All.First(method => method.IsolatesTransfer);
            return comparisons + $"The {missing.Noun} was not run, so nothing can be said about transfer.";
        }
        var beatAll = result.Controls.All(control => control.Difference.MacroF1.IsAboveZero);
        return comparisons + (helped, beatAll) switch
        {
            (true, true) => "So what helps is what the partner has learned.",
            (true, false) => "So the gain need not come from what the partner has learned: no transfer is shown.",
            (false, true) => "So the partner adds something, yet not enough to beat the best single source: no transfer is claimed.",
            (false, false) => "So no transfer from the partner is shown.",
        };
    }

    private static string DescribeControl(ControlComparison control)
    {
        var noun = control.Control.Method.Noun;
        return control.Difference.MacroF1 switch
        {
            { IsAboveZero: true } difference => $"It beat the {noun} by {FormatPoints(difference)}. ",
            { IsBelowZero: true } difference => $"The {noun} was better: {FormatPoints(difference)} between them. ",
            var difference => $"The {noun} was not measurably worse: {FormatPoints(difference)} between them. ",
        };
    }

    private static string FormatPoints(Interval difference) => string.Create(
        CultureInfo.InvariantCulture,
        $"{100 * difference.Estimate:+0.0;−0.0;0.0} points " +
        $"(95 % interval {100 * difference.Low:+0.0;−0.0;0.0} to {100 * difference.High:+0.0;−0.0;0.0})");
}
