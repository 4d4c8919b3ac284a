using System.Globalization;
using System.Text;
using System.Text.Json;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Statistics;

namespace MedMerge.Reporting;

/// <summary>A run's results for programs.</summary>
public static class ResultFiles
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The results of all scenarios: one object where there is one scenario, otherwise an array.</summary>
    public static string ToJson(SweepResult result) => result.Plan.Scenarios.Count == 1
        ? ToJson(result.Scenarios[0])
        : $"[\n{string.Join(",\n", result.Scenarios.Select(scenario => ToJson(scenario).TrimEnd()))}\n]\n";

    /// <summary>Everything: settings, every trial's scores, the rows of the table, the verdict. A score that does not exist is null.</summary>
    public static string ToJson(ScenarioResult result)
    {
        var scenario = result.Scenario;
        return JsonSerializer.Serialize(new
        {
            Schema = 1,
            scenario.Name,
            scenario.Architecture,
            Target = Of(scenario.Target),
            Sources = scenario.Sources.Select(source => source.Title),
            scenario.Anchor,
            scenario.Seeds,
            scenario.Settings.Device,
            scenario.Settings.Threads,
            scenario.Settings.Budget,
            Settings = SettingsText.ToJson(scenario),
            BestSingleSource = result.BestSingleSource?.Title,
            Verdict = Verdict.Of(result),
            Methods = result.Summaries.Select(Of),
            Trials = result.Trials.Select(Of),
        }, Json) + "\n";
    }

    /// <summary>One line a trial.</summary>
    public static string ToCsv(ScenarioResult result)
    {
        var text = new StringBuilder("trial,method,seed,split,macro_f1,accuracy,balanced_accuracy,auc,kappa,quadratic_kappa,calibration_error\n");
        foreach (var trial in result.Trials)
        {
            foreach (var (split, scores) in new[] { ("test", trial.Test), ("validation", trial.Validation) })
            {
                double[] values = [scores.MacroF1, scores.Accuracy, scores.BalancedAccuracy, scores.Auc, scores.Kappa, scores.QuadraticKappa, scores.CalibrationError];
                text.Append(CultureInfo.InvariantCulture, $"{trial.Trial.Number},{Quote(trial.Trial.Row.Title)},{trial.Trial.Seed},{split},");
                text.AppendJoin(',', values.Select(value => double.IsNaN(value) ? "" : value.ToString("R", CultureInfo.InvariantCulture))).Append('\n');
            }
        }
        return text.ToString();
    }

    private static object Of(TargetSummary target) => new
    {
        target.Name,
        target.IsSynthetic,
        target.Sha256,
        target.TestImages,
        // What an exported model's input needs: pixels from 0 to 1, each channel less its mean and divided by its deviation; a grey image fills all three.
        Normalisation = new { target.Mean, target.Deviation },
    };

    private static object Of(MethodSummary summary) => new
    {
        Method = summary.Method.Title,
        IsControl = summary.Method.Role == MethodRole.Control,
        MacroF1 = Of(summary.MacroF1),
        Accuracy = Of(summary.Accuracy),
        Auc = Of(summary.Auc),
        DifferenceToBestSingleSource = summary.Difference is { } difference
            ? new { MacroF1 = Of(difference.MacroF1), Accuracy = Of(difference.Accuracy), Auc = Of(difference.Auc) }
            : null,
    };

    private static object Of(TrialResult result) => new
    {
        result.Trial.Number,
        Method = result.Trial.Row.Title,
        result.Trial.Seed,
        Model = result.Trial.FindOutput(OutputRole.Model)?.Stage,
        Certificate = result.Certificate is { } certificate
            ? new { certificate.Worst.Layer, certificate.Worst.Relative, certificate.Holds }
            : null,
        Test = Of(result.Test),
        Validation = Of(result.Validation),
    };

    private static string Quote(string text) => text.AsSpan().IndexOfAny(",\"\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static object Of(Interval interval) => new { interval.Estimate, Low = OrNull(interval.Low), High = OrNull(interval.High) };

    private static object Of(Scores scores) => new
    {
        scores.MacroF1,
        scores.Accuracy,
        scores.BalancedAccuracy,
        Auc = OrNull(scores.Auc),
        scores.Kappa,
        scores.QuadraticKappa,
        scores.CalibrationError,
        scores.Classes,
    };

    private static double? OrNull(double value) => double.IsNaN(value) ? null : value;
}
