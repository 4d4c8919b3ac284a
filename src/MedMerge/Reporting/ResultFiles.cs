using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Statistics;
using MedMerge.Training;

namespace MedMerge.Reporting;

/// <summary>A run's results in machine-readable formats.</summary>
internal static class ResultFiles
{
    private const string CsvHeading =
        "trial,method,seed,split,macro_f1,accuracy,balanced_accuracy,auc,kappa,quadratic_kappa,calibration_error\n";

    private static readonly double[] Unscored = [.. Enumerable.Repeat(double.NaN, 7)];

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>
    /// Writes the results of all scenarios: those of one as they are, of several as <c>scenarios</c> with what they say together.
    /// </summary>
    public static string ToJson(SweepResult result)
    {
        if (result.Plan.Scenarios.Count == 1) return ToJson(result.Scenarios[0]);
        return JsonSerializer.Serialize(new
        {
            Schema = 1,
            result.Plan.Name,
            Scenarios = result.Scenarios.Select(scenario => JsonNode.Parse(ToJson(scenario))),
            ScenariosWithoutResult = result.WithoutResult,
            Searches = result.Plan.IsSearch ? result.Searches.Select(Describe) : null,
            Overall = result.Comparison is { } comparison ? Describe(comparison) : null,
        }, Json) + "\n";
    }

    private static object Describe(SearchResult search) => new
    {
        Chosen = search.Chosen.Select(chosen => new
        {
            Method = chosen.Row.Title,
            chosen.Scenario,
            chosen.Validation,
            chosen.Finished,
            chosen.Candidates,
        }),
        Best = JsonNode.Parse(ToJson(search.Best)),
    };

    private static object Describe(SweepComparison comparison) => new
    {
        Metric = Name(comparison.Metric),
        comparison.Targets,
        Methods = comparison.Methods.Select(method => new
        {
            Method = method.Method.Name,
            method.Scenarios,
            method.Targets,
            method.MeanRank,
            Difference = Describe(method.Difference),
            method.Verdicts,
            method.Helped,
            method.Harmed,
            Comparisons = method.Comparisons.Select(Describe),
        }),
        Effects = comparison.Effects,
    };

    private static object Describe(ScenarioComparison comparison) => new
    {
        comparison.Scenario,
        comparison.Seeds,
        Difference = Describe(comparison.Difference),
        PValue = NullIfNaN(comparison.PValue),
        AdjustedPValue = comparison.Adjusted,
    };

    /// <summary>Writes settings, scores of every trial, rows of the table, and the verdict. Undefined scores are null.</summary>
    public static string ToJson(ScenarioResult result)
    {
        var scenario = result.Scenario;
        var json = JsonSerializer.SerializeToNode(new
        {
            Schema = 1,
            scenario.Name,
            scenario.Architecture,
            Target = Describe(scenario.Target),
            Sources = scenario.Sources.Select(source => source.Title),
            scenario.Anchor,
            result.Seeds,
            Missing = result.Missing.Select(Describe),
            scenario.Settings.Device,
            scenario.Settings.Threads,
            scenario.Settings.Budget,
            Settings = SettingsText.ToJson(scenario),
            Metric = Name(result.Metric),
            BestSingleSource = result.Rival?.Title,
            BestSingleSources = result.Rivals.ToDictionary(rival => Name(rival.Key), rival => rival.Value.Title),
            Verdict = Verdict.Of(result),
            Methods = result.Summaries.Select(summary => Describe(summary, result)),
            Comparisons = result.Comparisons.Select(Describe),
            Trials = result.Trials.Select(Describe),
        }, Json)!.AsObject();
        if (result.AnchorChoice is { } choice)
            json.Insert(json.IndexOf("anchor") + 1, "anchorChoice", JsonSerializer.SerializeToNode(Describe(choice, result), Json));
        return json.ToJsonString(Json) + "\n";
    }

    private static object Describe(AnchorChoice choice, ScenarioResult result) => new
    {
        Source = result.Anchor,
        Scores = result.Scenario.Sources.Zip(choice.Scores).ToDictionary(one => one.First.Name, one => NullIfNaN(one.Second)),
    };

    /// <summary>
    /// Writes two lines for each trial: its scores on the test and on the validation split, which are empty where it has no result.
    /// </summary>
    public static string ToCsv(ScenarioResult result)
    {
        var text = new StringBuilder(CsvHeading);
        foreach (var trial in result.Trials)
        {
            AppendCsv(text, trial.Trial, "test", trial.Test);
            AppendCsv(text, trial.Trial, "validation", trial.Validation);
        }
        foreach (var trial in result.Missing.Select(missing => missing.Trial))
        {
            AppendCsv(text, trial, "test", scores: null);
            AppendCsv(text, trial, "validation", scores: null);
        }
        return text.ToString();
    }

    private static void AppendCsv(StringBuilder text, PlannedTrial trial, string split, Scores? scores)
    {
        double[] values = scores is null ? Unscored :
        [
            scores.MacroF1,
            scores.Accuracy,
            scores.BalancedAccuracy,
            scores.Auc,
            scores.Kappa,
            scores.QuadraticKappa,
            scores.CalibrationError,
        ];
        text.Append(CultureInfo.InvariantCulture, $"{trial.Number},{QuoteCsv(trial.Row.Title)},{trial.Seed},{split},");
        text.AppendJoin(',', values.Select(FormatCsv)).Append('\n');
    }

    private static string FormatCsv(double value) =>
        double.IsNaN(value) ? "" : value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>Quotes a text where CSV asks for it.</summary>
    internal static string QuoteCsv(string text)
    {
        var needsQuotes = text.AsSpan().ContainsAny(",\"\n");
        return needsQuotes ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }

    private static object Describe(TargetSummary target) => new
    {
        target.Name,
        target.IsSynthetic,
        target.Sha256,
        target.TestImages,
        // How to prepare the input of an exported model: pixels from 0 to 1, minus the channel's mean, divided by its deviation.
        // A grey image is copied to all three channels.
        Normalisation = new { target.Mean, target.Deviation },
    };

    private static object Describe(MethodSummary summary, ScenarioResult result)
    {
        var tests = result.Trials.Where(trial => trial.Trial.Row == summary.Method).Select(trial => trial.Test).ToList();
        var matrices = tests.Select(test => test.Confusion).OfType<ConfusionMatrix>().ToList();
        return new
        {
            Method = summary.Method.Title,
            Role = Name(summary.Method.Role),
            summary.Seeds,
            Scores = Describe(summary.Scores),
            DifferenceToBestSingleSource = summary.Differences.Count == 0 ? null : Describe(summary.Differences),
            // Summed over seeds: test images by true class, then by predicted class; and answers by confidence.
            Confusion = matrices.Count == 0 ? null : Describe(ConfusionMatrix.Sum(matrices)),
            Calibration = CalibrationBin.Sum(tests.SelectMany(test => test.Calibration)).Select(Describe),
        };
    }

    private static IEnumerable<double[]> Describe(ConfusionMatrix matrix) => matrix.Counts.Chunk(matrix.Classes);

    private static object Describe(CalibrationBin bin) => new
    {
        bin.Answers,
        Confidence = bin.Confidence / bin.Answers,
        Accuracy = (double)bin.Right / bin.Answers,
    };

    private static object Describe(MethodComparison comparison) => new
    {
        Method = comparison.Other.Title,
        comparison.Seeds,
        Difference = Describe(comparison.Difference),
    };

    private static Dictionary<string, object> Describe(IReadOnlyDictionary<Metric, Interval> intervals) =>
        intervals.ToDictionary(interval => Name(interval.Key), interval => Describe(interval.Value));

    /// <summary>A value as files name it: <c>singleSource</c>.</summary>
    internal static string Name<T>(T value) where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private static object Describe(MissingTrial missing) => new
    {
        missing.Trial.Number,
        Method = missing.Trial.Row.Title,
        missing.Trial.Seed,
        State = Name(missing.State),
    };

    private static object Describe(TrialResult result) => new
    {
        result.Trial.Number,
        Method = result.Trial.Row.Title,
        result.Trial.Seed,
        Model = result.Trial.FindOutput(OutputRole.Model)?.Stage,
        LearningRate = result.LearningRate?.LearningRate,
        Kept = result.Selection?.Kept,
        Certificate = result.Certificate is { } certificate
            ? new { certificate.Worst.Layer, certificate.Worst.Relative, certificate.Holds }
            : null,
        Test = Describe(result.Test),
        Validation = Describe(result.Validation),
        KernelWeightLearning = result.WeightLearning.Count == 0 ? null : result.WeightLearning.Select(Describe),
        FineTuning = result.Training is { FineTuning: { Count: > 0 } tuning } ? tuning.Select(Describe) : null,
        KernelWeights = result.Training?.Alpha is { } alpha ? Describe(alpha) : null,
        // By epoch from the start, layer and source.
        KernelWeightMeans = result.Training is { LayerMeans: { Count: > 0 } means } ? means : null,
    };

    private static object Describe(EpochRecord epoch) => new
    {
        epoch.Epoch,
        Loss = NullIfNaN(epoch.Loss),
        ValidationLoss = NullIfNaN(epoch.Validation.Loss),
        epoch.Entropy,
    };

    private static object Describe(KernelWeightSummary weights) => new
    {
        weights.Sources,
        Layers = weights.Layers.Select(layer => new
        {
            layer.Layer,
            Mean = layer.Sources.Select(source => source.Mean),
            Deviation = layer.Sources.Select(source => source.Deviation),
        }),
    };

    private static object Describe(Interval interval) => new
    {
        Estimate = NullIfNaN(interval.Estimate),
        Low = NullIfNaN(interval.Low),
        High = NullIfNaN(interval.High),
    };

    private static object Describe(Scores scores) => new
    {
        scores.MacroF1,
        scores.Accuracy,
        scores.BalancedAccuracy,
        Auc = NullIfNaN(scores.Auc),
        scores.Kappa,
        scores.QuadraticKappa,
        scores.CalibrationError,
        scores.Classes,
    };

    private static double? NullIfNaN(double value) => double.IsNaN(value) ? null : value;
}
