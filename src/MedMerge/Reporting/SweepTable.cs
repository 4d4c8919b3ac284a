using System.Globalization;
using MedMerge.Experiments.Results;
using MedMerge.Statistics;

namespace MedMerge.Reporting;

/// <summary>What several scenarios say together, as texts in per cent.</summary>
internal static class SweepTable
{
    /// <summary>Renders the methods over all scenarios, then the effects of varied settings.</summary>
    public static string Render(SweepComparison comparison)
    {
        var methods = TextTable.Render(
        [
            ["method", "scenarios", "mean rank", "Δ " + MetricNames.GetShort(comparison.Metric), "helped", "harmed"],
            .. comparison.Methods.Select(CreateRow),
        ]);
        var interval = comparison.Targets < 2
            ? "there is no interval with one target"
            : $"the 95 % interval is over {comparison.Targets} targets";
        var text = $"""
            All {comparison.Scenarios} scenarios together

            {methods}
            Of several rows of a method in a scenario the best on validation counts. Δ: mean difference to the scenario's best
            single source, in per cent, each target counting once; {interval}.
            Helped and harmed: scenarios whose own interval lies above or below zero, of which chance alone gives 2.5 % each.

            """;
        return comparison.Effects.Count == 0 ? text : text + "\n" + RenderEffects(comparison);
    }

    private static string RenderEffects(SweepComparison comparison) => $"""
        {TextTable.Render(
        [
            ["setting", "value", "scenarios", MetricNames.Get(comparison.Metric), "Δ " + MetricNames.GetShort(comparison.Metric)],
            .. comparison.Effects.Select(effect => (string[])
            [
                effect.Setting,
                effect.Value,
                $"{effect.Scenarios}",
                Format("0.0", effect.Score),
                effect.Difference is { } difference ? Format("+0.0;−0.0;0.0", difference) : "–",
            ]),
        ])}
        Of the proposed method: means over the scenarios that have the value. Where combinations are left out, values are compared over
        different scenarios.

        """;

    private static string[] CreateRow(MethodOverall method) =>
    [
        method.Method.Name,
        $"{method.Scenarios}",
        method.MeanRank.ToString("0.0", CultureInfo.InvariantCulture),
        FormatDifference(method.Difference),
        $"{method.Helped}",
        $"{method.Harmed}",
    ];

    private static string FormatDifference(Interval difference)
    {
        const string Signed = "+0.0;−0.0;0.0";
        if (double.IsNaN(difference.Estimate)) return "–";
        var estimate = Format(Signed, difference.Estimate);
        if (double.IsNaN(difference.Low)) return estimate;
        return $"{estimate} [{Format(Signed, difference.Low)}, {Format(Signed, difference.High)}]";
    }

    private static string Format(string format, double share) => (100 * share).ToString(format, CultureInfo.InvariantCulture);
}
