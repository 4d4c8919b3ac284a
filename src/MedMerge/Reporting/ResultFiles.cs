using System.Globalization;
using System.Text;
using System.Text.Json;
using MedMerge.Data;
using MedMerge.Experiments.Methods;
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

    /// <summary>Everything: settings, every trial's scores, the rows of the table, the verdict. A score that does not exist is null.</summary>
    public static string ToJson(ScenarioResult result)
    {
        var specification = result.Plan.Specification;
        return JsonSerializer.Serialize(new
        {
            Schema = 1,
            specification.Name,
            Architecture = specification.Architecture.Title,
            Target = new { result.Plan.Target.Name, result.Plan.Target.IsSynthetic, Sha256 = result.Plan.Target.ContentHash, TestImages = result.Plan.Target.Test.Count, Normalisation = NormalisationOf(result.Plan.Target) },
            Sources = result.Plan.SourceTitles,
            Anchor = specification.Sources[specification.Anchor].Name,
            specification.Seeds,
            specification.Device,
            specification.Threads,
            specification.Budget,
            BestSingleSource = result.BestSingleSource?.Title,
            Verdict = Verdict.Of(result),
            Methods = result.Summaries.Select(summary => new
            {
                Method = summary.Method.Title,
                IsControl = MethodNames.IsControl(summary.Method.Kind),
                MacroF1 = Of(summary.MacroF1),
                Accuracy = Of(summary.Accuracy),
                Auc = Of(summary.Auc),
                DifferenceToBestSingleSource = summary.Difference is null
                    ? null
                    : new { MacroF1 = Of(summary.Difference.MacroF1), Accuracy = Of(summary.Difference.Accuracy), Auc = Of(summary.Difference.Auc) },
            }),
            Trials = result.Trials.Select(trial => new
            {
                trial.Trial.Number,
                Method = trial.Trial.Method.Title,
                trial.Trial.Seed,
                Model = trial.Trial.Model.Key,
                Certificate = trial.Certificate is { } certificate ? new { certificate.Worst.Layer, certificate.Worst.Relative, certificate.Holds } : null,
                Test = Of(trial.Test),
                Validation = Of(trial.Validation),
            }),
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
                text.Append(CultureInfo.InvariantCulture, $"{trial.Trial.Number},{Quote(trial.Trial.Method.Title)},{trial.Trial.Seed},{split},");
                text.AppendJoin(',', values.Select(value => double.IsNaN(value) ? "" : value.ToString("R", CultureInfo.InvariantCulture))).Append('\n');
            }
        }
        return text.ToString();
    }

    /// <summary>What an exported model's input needs: pixels from 0 to 1, each channel less its mean and divided by its deviation; a grey image fills all three.</summary>
    private static object NormalisationOf(ImageDataset target)
    {
        var (mean, deviation) = target.Normalisation;
        return new { Mean = mean, Deviation = deviation };
    }

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
