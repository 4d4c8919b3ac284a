using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Specifications;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>A method over all scenarios. Of its rows of a scenario the best on validation counts.</summary>
/// <param name="Scenarios">Scenarios in which it has a result and there is a best single source.</param>
/// <param name="MeanRank">Among the methods, by the mean test score, 1 the best; equal scores share their ranks' mean.</param>
/// <param name="Difference">
/// To the best single source: the mean over targets of the mean over a target's scenarios. Targets are the independent units, so the
/// interval is Student's t over them.
/// </param>
/// <param name="Helped">Scenarios whose interval of the difference lies above zero.</param>
/// <param name="Harmed">Scenarios whose interval of the difference lies below zero.</param>
internal sealed record MethodOverall(IMethod Method, int Scenarios, double MeanRank, Interval Difference, int Helped, int Harmed);

/// <summary>One value of a varied setting, and how the proposed method does with it.</summary>
/// <param name="Setting">Its path.</param>
/// <param name="Value">As written.</param>
/// <param name="Scenarios">How many scenarios have it.</param>
/// <param name="Score">The mean over them of the proposed method's mean test score.</param>
/// <param name="Difference">The mean over them of its difference to the best single source; null where there is none.</param>
internal sealed record SettingEffect(string Setting, string Value, int Scenarios, double Score, double? Difference);

/// <summary>What several scenarios say together.</summary>
/// <param name="Targets">How many targets they have.</param>
/// <param name="Effects">Main effects of the settings that differ between scenarios.</param>
internal sealed record SweepComparison(
    Metric Metric,
    int Scenarios,
    int Targets,
    IReadOnlyList<MethodOverall> Methods,
    IReadOnlyList<SettingEffect> Effects)
{
    /// <summary>Compares over scenarios; null where there is one, or their metrics differ.</summary>
    public static SweepComparison? Of(IReadOnlyList<ScenarioResult> scenarios)
    {
        if (scenarios.Count < 2 || scenarios.Select(scenario => scenario.Metric).Distinct().Count() > 1) return null;
        var metric = scenarios[0].Metric;
        var places = scenarios.SelectMany(scenario => Rank(scenario, metric)).ToLookup(place => place.Method);
        return new SweepComparison(
            metric,
            scenarios.Count,
            scenarios.Select(scenario => scenario.Scenario.Target.Sha256).Distinct().Count(),
            [.. places.Select(Summarise).OrderBy(method => method.MeanRank)],
            [.. SettingTable.All.SelectMany(setting => FindEffects(setting, scenarios, metric))]);
    }

    /// <summary>Each method's place in a scenario.</summary>
    private static IEnumerable<Place> Rank(ScenarioResult scenario, Metric metric)
    {
        if (scenario.Rival is not { } rival) return [];
        var best = scenario.Summaries
            .GroupBy(summary => summary.Method.Method)
            .Select(rows => rows.Count() == 1 ? rows.Single() : rows.MaxBy(row => ValidationScore(scenario, row.Method, metric))!)
            .ToList();
        return best.Select(row => new Place(
            row.Method.Method,
            scenario.Scenario.Target.Sha256,
            1 + best.Count(other => Score(other) > Score(row)) + ((best.Count(other => Score(other) == Score(row)) - 1) / 2.0),
            row.Method == rival ? new Interval(0, 0, 0) : row.Differences.GetValueOrDefault(metric)));

        double Score(MethodSummary row) => row.Scores[metric].Estimate;
    }

    private static double ValidationScore(ScenarioResult scenario, MethodRow row, Metric metric) =>
        scenario.Trials.Where(trial => trial.Trial.Row == row).Average(trial => trial.Validation.Get(metric));

    private static MethodOverall Summarise(IGrouping<IMethod, Place> places)
    {
        var compared = places.Where(place => place.Difference is not null).ToList();
        var ofTargets = compared
            .GroupBy(place => place.Target)
            .Select(target => target.Average(place => place.Difference!.Estimate))
            .ToList();
        return new MethodOverall(
            places.Key,
            places.Count(),
            places.Average(place => place.Rank),
            ofTargets.Count == 0 ? new Interval(double.NaN, double.NaN, double.NaN) : Interval.OfMean(ofTargets),
            compared.Count(place => place.Difference!.IsAboveZero),
            compared.Count(place => place.Difference!.IsBelowZero));
    }

    private static IEnumerable<SettingEffect> FindEffects(
        Setting<ScenarioSettings> setting,
        IReadOnlyList<ScenarioResult> scenarios,
        Metric metric)
    {
        var values = scenarios.GroupBy(scenario => setting.GetValue(scenario.Scenario.Settings)?.ToString() ?? "").ToList();
        if (values.Count < 2) yield break;
        foreach (var value in values)
        {
            var proposed = value
                .Select(scenario => scenario.Summaries.FirstOrDefault(summary => summary.Method.Role == MethodRole.Proposed))
                .OfType<MethodSummary>()
                .ToList();
            if (proposed.Count == 0) continue;
            var differences = proposed.Select(row => row.Differences.GetValueOrDefault(metric)?.Estimate).OfType<double>().ToList();
            yield return new SettingEffect(
                setting.Path,
                value.Key,
                value.Count(),
                proposed.Average(row => row.Scores[metric].Estimate),
                differences.Count == 0 ? null : differences.Average());
        }
    }

    private sealed record Place(IMethod Method, string Target, double Rank, Interval? Difference);
}
