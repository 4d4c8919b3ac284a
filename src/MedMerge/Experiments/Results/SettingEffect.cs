using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Specifications;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>One value of a varied setting, and how the proposed method does with it.</summary>
/// <param name="Setting">Its path.</param>
/// <param name="Value">As written.</param>
/// <param name="Scenarios">How many scenarios it is measured in.</param>
/// <param name="Score">The mean over them of the proposed method's mean test score.</param>
/// <param name="Difference">The mean over them of its difference to the best single source; null where there is none.</param>
/// <param name="IsMatched">
/// Whether the values of the setting are compared over scenarios that are otherwise equal; else over all that have them, which may differ
/// in more than the setting.
/// </param>
internal sealed record SettingEffect(string Setting, string Value, int Scenarios, double Score, double? Difference, bool IsMatched)
{
    /// <summary>Finds the main effects of all settings that differ between scenarios.</summary>
    public static IReadOnlyList<SettingEffect> Find(IReadOnlyList<ScenarioResult> scenarios, Metric metric) =>
        [.. SettingTable.All.SelectMany(setting => Find(setting, scenarios, metric))];

    private static IEnumerable<SettingEffect> Find(
        Setting<ScenarioSettings> setting,
        IReadOnlyList<ScenarioResult> scenarios,
        Metric metric)
    {
        var measured = scenarios
            .Select(scenario => (Scenario: scenario, Row: scenario.Summaries.FirstOrDefault(IsProposed)))
            .Where(scenario => scenario.Row is not null)
            .Select(scenario => new Measurement(
                GetValue(setting, scenario.Scenario),
                DescribeRest(setting, scenario.Scenario),
                scenario.Row!.Scores[metric].Estimate,
                scenario.Row.Differences.GetValueOrDefault(metric)?.Estimate))
            .ToList();
        var values = measured.Select(one => one.Value).Distinct().ToList();
        if (values.Count < 2) return [];
        var matched = measured
            .GroupBy(one => one.Rest)
            .Where(equal => equal.Count() == values.Count)
            .SelectMany(equal => equal)
            .ToList();
        var isMatched = matched.Count > 0;
        return (isMatched ? matched : measured)
            .GroupBy(one => one.Value)
            .OrderBy(ofValue => values.IndexOf(ofValue.Key))
            .Select(ofValue =>
            {
                var differences = ofValue.Select(one => one.Difference).OfType<double>().ToList();
                return new SettingEffect(
                    setting.Path,
                    ofValue.Key,
                    ofValue.Count(),
                    ofValue.Average(one => one.Score),
                    differences.Count == 0 ? null : differences.Average(),
                    isMatched);
            });

        static bool IsProposed(MethodSummary summary) => summary.Method.Role == MethodRole.Proposed;
    }

    private static string GetValue(Setting<ScenarioSettings> setting, ScenarioResult scenario) =>
        setting.GetValue(scenario.Scenario.Settings)?.ToString() ?? "";

    /// <summary>Everything but the setting that makes a scenario: equal scenarios differ in its value alone.</summary>
    private static string DescribeRest(Setting<ScenarioSettings> setting, ScenarioResult scenario)
    {
        var others = SettingTable.All.Where(other => other != setting).Select(other => GetValue(other, scenario));
        var summary = scenario.Scenario;
        return string.Join('\n', others.Concat([summary.Target.Sha256, summary.Anchor, .. summary.Sources.Select(source => source.Name)]));
    }

    private sealed record Measurement(string Value, string Rest, double Score, double? Difference);
}
