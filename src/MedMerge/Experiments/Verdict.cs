using System.Globalization;
using MedMerge.Statistics;

namespace MedMerge.Experiments;

/// <summary>The plain sentence at the end: did merging help, and did the controls help as much.</summary>
public static class Verdict
{
    /// <summary>Says it for macro F1. A difference counts where its 95 % interval leaves out zero.</summary>
    public static string Of(RunResult result)
    {
        var medmerge = result.Summaries.FirstOrDefault(summary => summary.Method.Kind == MethodKind.MedMerge);
        if (medmerge is null) return "medmerge was not among the methods, so there is no verdict on merging.";
        if (medmerge.Difference is not { } difference) return "No single source was fine-tuned beside it, so there is nothing to compare merging with.";

        var rival = $"the best single source ({result.BestSingleSource!.Title})";
        var points = Points(difference.MacroF1);
        var helped = difference.MacroF1 switch
        {
            { IsAboveZero: true } => $"Merging helped: {points} of macro F1 against {rival}",
            { IsBelowZero: true } => $"Merging hurt: {points} of macro F1 against {rival}",
            _ => $"Merging did not help measurably: {points} of macro F1 against {rival}, an interval that holds zero",
        };
        var controls = result.Summaries.Where(summary => MethodNames.IsControl(summary.Method.Kind)).ToList();
        if (controls.Count == 0) return helped + ". No control was run, so nothing can be said about why.";

        var against = controls.Select(control => (Name: Name(control.Method), Difference: result.Compare(medmerge.Method, control.Method).MacroF1)).ToList();
        var asGood = against.Where(control => !control.Difference.IsAboveZero).ToList();
        var details = string.Join(", ", against.Select(control => $"{Points(control.Difference)} against the {control.Name}"));
        if (asGood.Count > 0)
            return $"{helped}; {string.Join(" and ", asGood.Select(control => $"the {control.Name}"))} did as well ({details}), so no transfer from the partner is shown.";
        return difference.MacroF1.IsAboveZero
            ? $"{helped}; it also beat the controls ({details}), so the gain comes from the partner's kernels."
            : $"{helped}; it did beat the controls ({details}), so the partner's kernels add something, only not enough.";
    }

    private static string Name(Method method) => method.Kind == MethodKind.UntrainedPartner ? "untrained partner" : "self-scaled anchor";

    private static string Points(Interval difference) => string.Create(CultureInfo.InvariantCulture,
        $"{100 * difference.Estimate:+0.0;−0.0;0.0} points (95 % interval {100 * difference.Low:+0.0;−0.0;0.0} to {100 * difference.High:+0.0;−0.0;0.0})");
}
