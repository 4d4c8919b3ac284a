using System.Globalization;
using MedMerge.Experiments.Methods;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>The plain sentence at the end: did merging help, and did the controls help as much.</summary>
public static class Verdict
{
    private const string OneSeed = " With one seed the intervals are over test images alone; what another seed would change is not in them.";

    /// <summary>
    /// Says it for macro F1. A difference counts where its 95 % interval leaves out zero. Transfer is spoken of only where merging helped and beat the
    /// controls, the untrained partner among them.
    /// </summary>
    public static string Of(ScenarioResult result)
    {
        var medmerge = result.Summaries.FirstOrDefault(summary => summary.Method.Kind == MethodKind.MedMerge);
        if (medmerge is null) return "medmerge was not among the methods, so there is no verdict on merging.";
        if (medmerge.Difference is not { } difference) return "No single source was fine-tuned beside it, so there is nothing to compare merging with.";

        var helped = difference.MacroF1.IsAboveZero;
        var outcome = difference.MacroF1 switch
        {
            { IsAboveZero: true } => "Merging helped",
            { IsBelowZero: true } => "Merging hurt",
            _ => "Merging did not help measurably",
        };
        var interval = !helped && !difference.MacroF1.IsBelowZero ? ", an interval that holds zero" : "";
        return $"{outcome}: {Points(difference.MacroF1)} of macro F1 against the best single source ({result.BestSingleSource!.Title}){interval}. " +
               Controls(result, helped) + (result.Plan.Specification.Seeds.Count == 1 ? OneSeed : "");
    }

    private static string Controls(ScenarioResult result, bool helped)
    {
        if (result.Controls.Count == 0) return "No control was run, so nothing can be said about transfer.";
        var said = string.Concat(result.Controls.Select(control => control.Difference.MacroF1 switch
        {
            { IsAboveZero: true } difference => $"It beat the {Name(control.Control)} by {Points(difference)}. ",
            { IsBelowZero: true } difference => $"The {Name(control.Control)} was better: {Points(difference)} between them. ",
            var difference => $"The {Name(control.Control)} was not measurably worse: {Points(difference)} between them. ",
        }));
        if (result.Controls.All(control => control.Control.Kind != MethodKind.UntrainedPartner))
            return said + "The untrained partner was not run, so nothing can be said about transfer.";
        var beatAll = result.Controls.All(control => control.Difference.MacroF1.IsAboveZero);
        return said + (helped, beatAll) switch
        {
            (true, true) => "So what helps is what the partner has learned.",
            (true, false) => "So the gain need not come from what the partner has learned: no transfer is shown.",
            (false, true) => "So the partner adds something, yet not enough to beat the best single source: no transfer is claimed.",
            (false, false) => "So no transfer from the partner is shown.",
        };
    }

    private static string Name(Method method) => method.Kind == MethodKind.UntrainedPartner ? "untrained partner" : "self-scaled anchor";

    private static string Points(Interval difference) => string.Create(CultureInfo.InvariantCulture,
        $"{100 * difference.Estimate:+0.0;−0.0;0.0} points (95 % interval {100 * difference.Low:+0.0;−0.0;0.0} to {100 * difference.High:+0.0;−0.0;0.0})");
}
