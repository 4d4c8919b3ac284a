using System.Globalization;
using System.Text.Json;
using MedMerge.Data;
using MedMerge.Data.Catalogue;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Models;
using MedMerge.Statistics;

namespace MedMerge.Reporting;

/// <summary>
/// <c>README.md</c> beside a model, after Mitchell et al. 2019: what it is for, what it was made of, how good it is, how to load it. Its
/// head is what model hubs read.
/// </summary>
internal static class ModelCard
{
    /// <summary>Writes it.</summary>
    public static string Render(ScenarioResult result, TrialResult trial)
    {
        var scenario = result.Scenario;
        var row = trial.Trial.Row;
        var table = ScenarioTable.Of(result);
        return $"""
            {RenderHead(result, trial)}
            # {scenario.Name}: {row.Title}, seed {trial.Trial.Seed}

            A {scenario.Architecture} that classifies images of {scenario.Target.Title}, made with the method `{row.Method.Name}`.
            {DescribeSelection(trial)}
            {(table.Incomplete is null ? "" : $"\n**{table.Incomplete}**\n")}
            ## Intended use

            Research on merging models. It was not examined as a medical device, and nothing here says how it does on images of other
            hospitals, devices or patients than the target's. No decision about a patient should rest on it.

            ## Made of

            | | |
            | --- | --- |
            | target | {scenario.Target.Title}, SHA-256 `{scenario.Target.Sha256}` |
            {string.Join('\n', scenario.Sources.Select(source => $"| source {source.Name} | {source.Title}, stage `{source.Stage}` |"))}
            | anchor | {result.Anchor} |
            | learning rate | {DescribeRate(trial)} |
            | settings | {table.Settings} |
            | made by | medmerge {ProductVersion.Current} |

            ## Licences

            Those of the images and weights that it was made of hold for this model too.

            | part | made of | licence |
            | --- | --- | --- |
            {string.Join('\n', RenderLicences(scenario))}

            ## How good it is

            On {scenario.Target.TestImages} test images, in per cent: this model, and its method's mean over seeds with its 95 % interval.

            {TextTable.Render([["score", "this model", "over seeds"], .. RenderScores(result, trial)])}
            {TextTable.Render([["class", "images", "precision", "recall", "F1"], .. RenderClasses(result, trial)])}
            {table.VerdictText}

            {ScenarioTable.DescribeCertificate(trial.Certificate, scope: "")}

            ## Input

            Red, green and blue from 0 to 1, in training {scenario.Target.Height} × {scenario.Target.Width} pixels; a grey image three
            times. Subtract `mean` and divide by `std` of `config.json`.

            ## Loading it

            {DescribeLoading(result)}
            """ + "\n";
    }

    private static string RenderHead(ScenarioResult result, TrialResult trial)
    {
        (string Type, double Value)[] metrics =
        [
            ("f1", trial.Test.MacroF1),
            ("accuracy", trial.Test.Accuracy),
            ("roc_auc", trial.Test.Auc),
        ];
        var lines = metrics
            .Where(metric => !double.IsNaN(metric.Value))
            .Select(metric => string.Create(
                CultureInfo.InvariantCulture,
                $"          - type: {metric.Type}\n            value: {metric.Value:R}"));
        return $"""
            ---
            library_name: pytorch
            pipeline_tag: image-classification
            license: other
            license_name: see-sources-and-data
            license_link: README.md#licences
            tags: [medical-imaging, model-merging, medmerge]
            model-index:
              - name: {Quote($"{result.Scenario.Name}: {trial.Trial.Row.Title}, seed {trial.Trial.Seed}")}
                results:
                  - task:
                      type: image-classification
                    dataset:
                      name: {Quote(result.Scenario.Target.Name)}
                      type: {Quote(result.Scenario.Target.Name)}
                      split: test
                    metrics:
            {string.Join('\n', lines)}
            ---

            """;
    }

    /// <summary>As a YAML text, which a JSON one is.</summary>
    private static string Quote(string text) => JsonSerializer.Serialize(text);

    private static IEnumerable<string[]> RenderScores(ScenarioResult result, TrialResult trial)
    {
        var summary = result.Summaries.First(row => row.Method == trial.Trial.Row);
        return Enum.GetValues<Metric>().Where(metric => !double.IsNaN(trial.Test.Get(metric))).Select(metric => (string[])
        [
            MetricNames.Get(metric),
            Percent.Format(trial.Test.Get(metric)),
            ScenarioTable.FormatMean(summary.Scores[metric]),
        ]);
    }

    private static IEnumerable<string[]> RenderClasses(ScenarioResult result, TrialResult trial)
    {
        var names = result.Scenario.Target.GetClassNames(trial.Test.Classes.Count);
        return trial.Test.Classes.Select(score => (string[])
        [
            names[score.Class],
            $"{score.Images}",
            Percent.Format(score.Precision),
            Percent.Format(score.Recall),
            Percent.Format(score.F1),
        ]);
    }

    private static string DescribeRate(TrialResult trial) =>
        trial.LearningRate?.LearningRate is { } rate ? rate.ToString("R", CultureInfo.InvariantCulture) : "nothing was fine-tuned";

    private static string DescribeSelection(TrialResult trial) => trial.Selection is { IsMergeKept: false } selection
        ? $"It is the model of `{selection.Kept}`: merging was not better on validation, and `select: best` was set.\n"
        : "";

    private static string DescribeLoading(ScenarioResult result)
    {
        if (Architectures.Parse(result.Scenario.Architecture).PyTorch is not { } code)
        {
            return "The tensors of `model.safetensors` have the names of the architecture's usual PyTorch code. `medmerge export " +
                   "model.safetensors --output model.onnx` makes a file that ONNX Runtime runs without such code.";
        }
        return $"""
            ```python
            import json
            {code.Imports}
            from safetensors.torch import load_file

            config = json.load(open("config.json"))
            weights = load_file("model.safetensors")
            {code.Network}
            model.load_state_dict(weights)
            model.eval()
            mean, std = (torch.tensor(config[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
            images = torch.rand(1, *config["input_size"])  # yours
            logits = model((images - mean) / std)
            ```

            `medmerge export model.safetensors --output model.onnx` makes a file that ONNX Runtime runs.
            """;
    }

    /// <summary>What the catalogue says of data that have a name of its own.</summary>
    private static IEnumerable<string> RenderLicences(ScenarioSummary scenario)
    {
        var data = scenario.Sources.SelectMany(source => source.Origins.Select(origin => (Part: $"source {source.Name}", origin.Name)));
        return data
            .Prepend((Part: "target", Name: scenario.Target.Title))
            .Select(part => $"| {part.Part} | {part.Name} | {DescribeLicence(part.Name)} |");
    }

    private static string DescribeLicence(string name)
    {
        if (DatasetInfo.IsSyntheticTitle(name)) return "none needed: drawn by medmerge";
        return PublicCatalogue.Entries.FirstOrDefault(IsOf) is { } known
            ? $"{known.Licence}, if it is what is published under that name; credit: {known.Credit}"
            : "not known to medmerge";

        bool IsOf(CatalogueEntry entry) => entry.Name == name || entry.Files.Any(file => Path.GetFileName(file.Path) == name);
    }
}
