using System.Globalization;
using MedMerge.Experiments.Methods;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>The plain sentence at the end: did merging help, and did the controls help as much.</summary>
public static class Verdict
{
    private const string OneSeed = " With one seed the intervals are over test images alone; what another seed would change is not in them.";

    /// <summary>
    /// The verdict for macro F1. A difference counts where its 95 % interval leaves out zero. Transfer is claimed only where merging helped and
    /// beat the controls, one that isolates transfer among them.
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
        var interval = !helped && !difference.MacroF1.IsBelowZero ? ", an interval that holds zero" : "";
        return $"{outcome}: {Points(difference.MacroF1)} of macro F1 against the best single source ({result.BestSingleSource!.Title}){interval}. " +
               DescribeControls(result, helped) +
               (result.Scenario.Seeds.Count == 1 ? OneSeed : "");
    }

    private static string DescribeControls(ScenarioResult result, bool helped)
    {
        if (result.Controls.Count == 0) return "No control was run, so nothing can be said about transfer.";
        var comparisons = string.Concat(result.Controls.Select(Describe));
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

    private static string Describe(ControlComparison control)
    {
        var noun = control.Control.Method.Noun;
        return control.Difference.MacroF1 switch
        {
            { IsAboveZero: true } difference => $"It beat the {noun} by {Points(difference)}. ",
            { IsBelowZero: true } difference => $"The {noun} was better: {Points(difference)} between them. ",
            var difference => $"The {noun} was not measurably worse: {Points(difference)} between them. ",
        };
    }

    private static string Points(Interval difference) => string.Create(
        CultureInfo.InvariantCulture,
        $"{100 * difference.Estimate:+0.0;−0.0;0.0} points " +
        $"(95 % interval {100 * difference.Low:+0.0;−0.0;0.0} to {100 * difference.High:+0.0;−0.0;0.0})");
}
