using System.Text;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Reporting.Report;

namespace MedMerge.Reporting;

/// <summary>A model that a run exports, or a file that belongs to one.</summary>
/// <param name="Name">Its path in the output folder, with '/' as separator.</param>
/// <param name="Stage">Key of the stage that writes it.</param>
/// <param name="Artefact">Its name in the stage's output, of <see cref="StageFiles"/>.</param>
internal sealed record ExportedFile(string Name, string Stage, string Artefact);

/// <summary>A text about a model, beside it.</summary>
/// <param name="Name">Its path in the output folder, as <see cref="ExportedFile.Name"/>.</param>
/// <param name="Write">Writes it from the trial's result and those that it is compared with.</param>
internal sealed record ModelDocument(string Name, PlannedTrial Trial, Func<ScenarioResult, TrialResult, string> Write)
{
    /// <summary>Writes it from the results of the trial's scenario.</summary>
    public string WriteFrom(ScenarioResult result) => Write(result, result.Trials.First(trial => trial.Trial.Number == Trial.Number));
}

/// <summary>A format of a scenario's results.</summary>
/// <param name="Format"><c>json</c>, <c>csv</c> or <c>md</c>.</param>
internal sealed record ResultFile(string Format, Func<ScenarioResult, string> Write)
{
    /// <summary>Its name in the scenario's folder.</summary>
    public string Name => $"results.{Format}";
}

/// <summary>A file about all scenarios together, in the output folder itself.</summary>
/// <param name="Format"><c>json</c>, <c>md</c>, <c>html</c>, <c>csv</c> or <c>parquet</c>.</param>
internal sealed record SweepFile(string Name, string Format, Func<SweepResult, CancellationToken, Task<byte[]>> WriteAsync)
{
    /// <summary>A file of text.</summary>
    public SweepFile(string name, string format, Func<SweepResult, string> write)
        : this(name, format, (result, _) => Task.FromResult(Encoding.UTF8.GetBytes(write(result))))
    {
    }
}

/// <summary>A scenario's folder in the output folder.</summary>
/// <param name="Folder">Its path with a trailing '/'; empty if the scenario uses the output folder itself.</param>
internal sealed record ScenarioFolder(string Name, string Folder);

/// <summary>
/// The files that a run exports, with the same names and bytes wherever it ran. A sweep of one scenario uses the output
/// folder itself, a sweep of several a folder for each.
/// </summary>
internal static class OutputFiles
{
    /// <summary>The folder of the source models.</summary>
    public const string SourcesFolder = "sources";

    /// <summary>The prefix of a seed's folder.</summary>
    public const string SeedPrefix = "seed-";

    private static readonly IReadOnlyDictionary<OutputRole, string> Names = new OrderedDictionary<OutputRole, string>
    {
        [OutputRole.KernelWeights] = "kernel-weights.safetensors",
        [OutputRole.MergedModel] = "merged.safetensors",
        [OutputRole.Certificate] = "certificate.json",
        [OutputRole.Model] = "model.safetensors",
        [OutputRole.FineTuneHistory] = "fine-tuning.json",
        [OutputRole.LearningRate] = "learning-rate.json",
        [OutputRole.KernelWeightHistory] = "weighing.json",
        [OutputRole.Coefficients] = "coefficients.json",
        [OutputRole.Selection] = "selection.json",
    };

    private static readonly IReadOnlyDictionary<string, Func<ScenarioResult, TrialResult, string>> Documents =
        new OrderedDictionary<string, Func<ScenarioResult, TrialResult, string>>
        {
            ["README.md"] = ModelCard.Render,
            ["config.json"] = ModelConfig.Write,
        };

    /// <summary>
    /// The formats of results. JSON comes first: it shows later runs that the models beside it belong to a run.
    /// </summary>
    public static IReadOnlyList<ResultFile> Results { get; } =
    [
        new("json", ResultFiles.ToJson),
        new("csv", ResultFiles.ToCsv),
        new("md", ComparisonTable.Render),
    ];

    /// <summary>
    /// The results of all scenarios together. Those of one scenario alone have the names and bytes of <see cref="Results"/>.
    /// </summary>
    public static IReadOnlyList<SweepFile> SweepResults { get; } =
    [
        new("results.json", "json", ResultFiles.ToJson),
        new("results.md", "md", ComparisonTable.Render),
        new("report.html", "html", ReportPage.Render),
        new("trials.csv", "csv", TrialTable.ToCsv),
        new("trials.parquet", "parquet", TrialParquet.WriteAsync),
    ];

    /// <summary>The names of files in a seed's folder.</summary>
    public static IReadOnlyList<string> SeedFiles { get; } = [.. Names.Values, .. Documents.Keys];

    /// <summary>The methods whose files a run writes where no others are asked for.</summary>
    public static IReadOnlyList<string> DefaultMethods { get; } =
        [.. MethodRegistry.All.Where(method => method.Role == MethodRole.Proposed).Select(method => method.Name)];

    /// <summary>Gets the folders of the scenarios that have a finished trial.</summary>
    public static IReadOnlyList<ScenarioFolder> GetScenarios(PlanSummary plan, IEnumerable<PlannedTrial> finished) =>
    [
        .. finished
            .Select(trial => trial.Scenario)
            .Distinct()
            .Order()
            .Select(position => plan.Scenarios[position])
            .Select(scenario => new ScenarioFolder(scenario.Name, GetFolder(plan, scenario))),
    ];

    /// <summary>Gets a scenario's folder, with a trailing '/'; empty if the plan has one scenario.</summary>
    public static string GetFolder(PlanSummary plan, ScenarioSummary scenario) =>
        plan.Scenarios.Count == 1 ? "" : $"{scenario.Name}/";

    /// <summary>The method that a file or a folder of a scenario belongs to; null for the sources.</summary>
    /// <param name="name">As <see cref="ExportedFile.Name"/>, or the name of a folder: <c>fine-tune chest</c>.</param>
    public static string? FindMethod(string name)
    {
        var folders = name.Split('/');
        var row = Array.FindIndex(folders, folder => folder.StartsWith(SeedPrefix, StringComparison.Ordinal)) - 1;
        var method = folders[Math.Max(row, 0)].Split(' ')[0];
        return MethodRegistry.Names.Contains(method) ? method : null;
    }

    /// <summary>Whether a file belongs to one of some methods, or to the sources.</summary>
    public static bool IsOf(string name, IReadOnlyCollection<string> methods) =>
        FindMethod(name) is not { } method || methods.Contains(method);

    /// <summary>Gets the files of methods' trials, and the sources that were merged.</summary>
    /// <param name="finished">The trials that have a result.</param>
    public static IEnumerable<ExportedFile> GetModels(PlanSummary plan, IEnumerable<PlannedTrial> finished)
    {
        var withSources = new HashSet<string>();
        foreach (var trial in finished)
        {
            var scenario = plan.GetScenario(trial);
            var root = GetFolder(plan, scenario);
            var folder = GetFolder(plan, trial);
            foreach (var (role, name) in Names)
            {
                if (trial.FindOutput(role) is { } output)
                    yield return new ExportedFile($"{folder}/{name}", output.Stage, output.Artefact);
            }
            if (trial.Seed != scenario.Seeds[0] || !withSources.Add(root)) continue;
            foreach (var source in scenario.Sources)
                yield return new ExportedFile($"{root}{SourcesFolder}/{source.Name}.safetensors", source.Stage, StageFiles.Model);
        }
    }

    /// <summary>Gets the texts about the models of methods' trials.</summary>
    /// <param name="finished">The trials that have a result.</param>
    public static IEnumerable<ModelDocument> GetDocuments(PlanSummary plan, IEnumerable<PlannedTrial> finished) =>
        from trial in finished
        where trial.FindOutput(OutputRole.Model) is not null
        from document in Documents
        select new ModelDocument($"{GetFolder(plan, trial)}/{document.Key}", trial, document.Value);

    private static string GetFolder(PlanSummary plan, PlannedTrial trial) =>
        $"{GetFolder(plan, plan.GetScenario(trial))}{trial.Row.Title}/{SeedPrefix}{trial.Seed}";
}
