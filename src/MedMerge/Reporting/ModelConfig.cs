using System.Text.Encodings.Web;
using System.Text.Json;
using MedMerge.Data;
using MedMerge.Experiments.Results;
using MedMerge.Models;

namespace MedMerge.Reporting;

/// <summary>
/// <c>config.json</c> beside a model: what a program needs to load it and to prepare its input, under Hugging Face's and timm's keys.
/// </summary>
internal static class ModelConfig
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes it.</summary>
    public static string Write(ScenarioResult result, TrialResult trial)
    {
        var target = result.Scenario.Target;
        var names = target.GetClassNames(trial.Test.Classes.Count);
        var isMultiLabel = trial.Test.Confusion is null;
        var config = new Dictionary<string, object>
        {
            ["architecture"] = result.Scenario.Architecture,
            ["num_labels"] = names.Count,
            ["id2label"] = names.Index().ToDictionary(name => $"{name.Index}", name => name.Item),
            ["problem_type"] = isMultiLabel ? ModelSignature.MultiLabel : "single_label_classification",
            ["input_size"] = (int[])[InputNormalisation.Channels, target.Height, target.Width],
            ["mean"] = InputNormalisation.Expand(target.Mean),
            ["std"] = InputNormalisation.Expand(target.Deviation),
        };
        if (isMultiLabel) config["thresholds"] = trial.Test.Classes.Select(score => score.Threshold);
        return JsonSerializer.Serialize(config, Json) + "\n";
    }
}
