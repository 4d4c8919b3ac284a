using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Specifications;
using MedMerge.Statistics;

namespace MedMerge.Reporting;

/// <summary>A column of <see cref="TrialTable"/>.</summary>
/// <param name="Type"><see cref="long"/>, <see cref="ulong"/>, <see cref="double"/> or <see cref="string"/>.</param>
/// <param name="Values">One a row, of that type; null where there is none.</param>
internal sealed record TrialColumn(string Name, Type Type, IReadOnlyList<object?> Values);

/// <summary>
/// All trials of a sweep as a table for programs: a row each in the plan's order, also where a trial has no result, with what it belongs
/// to, every setting by its path, and every score.
/// </summary>
internal static class TrialTable
{
    /// <summary>Between the names of a scenario's sources; no name holds it.</summary>
    private const string SourceSeparator = "+";

    /// <summary>The state of a trial with a result; without one it is a <see cref="MissingState"/>.</summary>
    private const string Done = "done";

    private static readonly IReadOnlyList<(string Name, Func<Scores, double> Get)> Scores =
    [
        ("macroF1", scores => scores.MacroF1),
        ("accuracy", scores => scores.Accuracy),
        ("balancedAccuracy", scores => scores.BalancedAccuracy),
        ("auc", scores => scores.Auc),
        ("kappa", scores => scores.Kappa),
        ("quadraticKappa", scores => scores.QuadraticKappa),
        ("calibrationError", scores => scores.CalibrationError),
    ];

    /// <summary>Creates the columns.</summary>
    public static IReadOnlyList<TrialColumn> Of(SweepResult result)
    {
        var plan = result.Plan;
        var anchors = result.Scenarios.ToDictionary(scenario => scenario.Scenario.Name, scenario => scenario.Anchor);
        var results = result.Scenarios.SelectMany(scenario => scenario.Trials).ToDictionary(trial => trial.Trial.Number);
        return
        [
            Column<long>("trial", trial => (long)trial.Number),
            Column<string>("scenario", trial => plan.GetScenario(trial).Name),
            Column<string>("target", trial => plan.GetScenario(trial).Target.Name),
            Column<string>("sources", DescribeSources),
            Column<string>("anchor", GetAnchor),
            Column<string>("method", trial => trial.Method),
            Column<string>("source", trial => trial.Source),
            Column<string>("role", trial => ResultFiles.Name(trial.Row.Role)),
            Column<ulong>("seed", trial => trial.Seed),
            Column<string>("state", GetState),
            .. SettingTable.All.Select(CreateColumn),
            .. Scores.Select(score => ScoreColumn("test", score.Name, trial => score.Get(trial.Test))),
            .. Scores.Select(score => ScoreColumn("validation", score.Name, trial => score.Get(trial.Validation))),
        ];

        TrialColumn Column<T>(string name, Func<PlannedTrial, object?> get) =>
            new(name, typeof(T), [.. plan.Trials.Select(get)]);

        TrialColumn CreateColumn(Setting<ScenarioSettings> setting)
        {
            var type = GetType(setting);
            return new TrialColumn(
                setting.Path,
                type,
                [.. plan.Trials.Select(trial => Convert(setting.GetValue(plan.GetScenario(trial).Settings), type))]);
        }

        TrialColumn ScoreColumn(string split, string name, Func<TrialResult, double> get) => Column<double>(
            $"{split}.{name}",
            trial => results.TryGetValue(trial.Number, out var found) && get(found) is var score && !double.IsNaN(score) ? score : null);

        string GetAnchor(PlannedTrial trial)
        {
            var scenario = plan.GetScenario(trial);
            return anchors.GetValueOrDefault(scenario.Name) ?? scenario.Anchor;
        }

        string DescribeSources(PlannedTrial trial) =>
            string.Join(SourceSeparator, plan.GetScenario(trial).Sources.Select(source => source.Name));

        string GetState(PlannedTrial trial) => results.ContainsKey(trial.Number)
            ? Done
            : ResultFiles.Name(result.Missing.GetValueOrDefault(trial.Number));
    }

    /// <summary>Writes a heading and a line a trial; what there is not is empty.</summary>
    public static string ToCsv(SweepResult result)
    {
        var columns = Of(result);
        var text = new StringBuilder().AppendJoin(',', columns.Select(column => column.Name)).Append('\n');
        for (var row = 0; row < result.Plan.Trials.Count; row++)
            text.AppendJoin(',', columns.Select(column => Format(column.Values[row]))).Append('\n');
        return text.ToString();
    }

    private static string Format(object? value) => value switch
    {
        null => "",
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        string text => ResultFiles.QuoteCsv(text),
        _ => System.Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static Type GetType(Setting<ScenarioSettings> setting) => (string?)setting.CreateSchema()["type"] switch
    {
        "integer" => typeof(long),
        "number" => typeof(double),
        _ => typeof(string),
    };

    private static object? Convert(JsonNode? value, Type type)
    {
        if (value is null) return null;
        if (type == typeof(string)) return value.GetValue<string>();
        return System.Convert.ChangeType(value.ToString(), type, CultureInfo.InvariantCulture);
    }
}
