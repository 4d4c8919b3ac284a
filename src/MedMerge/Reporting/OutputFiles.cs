using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;

namespace MedMerge.Reporting;

/// <summary>A model, or what belongs to one, that a run leaves for its user.</summary>
/// <param name="Name">Its path in the output folder, with '/'.</param>
/// <param name="Stage">Key of the stage whose output it is.</param>
/// <param name="Artefact">Its name there, of <see cref="StageFiles"/>.</param>
public sealed record ExportedFile(string Name, string Stage, string Artefact);

/// <summary>A format of a scenario's results.</summary>
/// <param name="Format"><c>json</c>, <c>csv</c> or <c>md</c>.</param>
public sealed record ResultFile(string Format, Func<ScenarioResult, string> Write)
{
    /// <summary>Its name in the scenario's folder.</summary>
    public string Name => $"results.{Format}";
}

/// <summary>A scenario's place in the output folder.</summary>
/// <param name="Folder">With '/' at its end; empty where the scenario fills the output folder itself.</param>
public sealed record ScenarioFolder(string Name, string Folder);

/// <summary>
/// What a run leaves for its user, wherever it ran: the same names and the same bytes. A sweep of one scenario fills the output folder itself, one of
/// several a folder for each.
/// </summary>
public static class OutputFiles
{
    /// <summary>Where the sources lie.</summary>
    public const string SourcesFolder = "sources";

    /// <summary>How a seed's folder begins.</summary>
    public const string SeedPrefix = "seed-";

    private static readonly IReadOnlyDictionary<OutputRole, string> Names = new OrderedDictionary<OutputRole, string>
    {
        [OutputRole.KernelWeights] = "kernel-weights.safetensors",
        [OutputRole.MergedModel] = "merged.safetensors",
        [OutputRole.Certificate] = "certificate.json",
        [OutputRole.Model] = "model.safetensors",
        [OutputRole.FineTuneHistory] = "fine-tuning.json",
        [OutputRole.KernelWeightHistory] = "weighing.json",
    };

    /// <summary>The results, for programs and people. The JSON comes first: it tells later runs that the models beside it are a run's.</summary>
    public static IReadOnlyList<ResultFile> Results { get; } =
    [
        new("json", ResultFiles.ToJson),
        new("csv", ResultFiles.ToCsv),
        new("md", ComparisonTable.Render),
    ];

    /// <summary>What lies in a seed's folder.</summary>
    public static IReadOnlyList<string> SeedFiles { get; } = [.. Names.Values];

    /// <summary>Where the models of a method lie, one folder for each that exports any.</summary>
    public static IReadOnlyList<string> ModelFolders { get; } = [.. MethodRegistry.All.Where(Exports).Select(method => method.Name)];

    /// <summary>The folders of the scenarios that have a finished trial.</summary>
    public static IReadOnlyList<ScenarioFolder> GetScenarios(PlanSummary plan, IEnumerable<PlannedTrial> finished) =>
    [
        .. finished.Select(trial => trial.Scenario).Distinct().Order()
            .Select(position => plan.Scenarios[position])
            .Select(scenario => new ScenarioFolder(scenario.Name, GetFolder(plan, scenario))),
    ];

    /// <summary>A scenario's folder, with '/' at its end; empty where the plan has one scenario.</summary>
    public static string GetFolder(PlanSummary plan, ScenarioSummary scenario) => plan.Scenarios.Count == 1 ? "" : $"{scenario.Name}/";

    /// <summary>Each seed's model of the proposed method with its kernel weights and certificate, and the sources as merged.</summary>
    /// <param name="finished">Those of the plan's trials that have a result.</param>
    public static IEnumerable<ExportedFile> GetModels(PlanSummary plan, IEnumerable<PlannedTrial> finished)
    {
        foreach (var trial in finished.Where(trial => Exports(trial.Row.Method)))
        {
            var scenario = plan.ScenarioOf(trial);
            var root = GetFolder(plan, scenario);
            foreach (var (role, name) in Names)
            {
                if (trial.FindOutput(role) is { } output)
                    yield return new ExportedFile($"{root}{trial.Row.Title}/{SeedPrefix}{trial.Seed}/{name}", output.Stage, output.Artefact);
            }
            if (trial.Seed != scenario.Seeds[0]) continue;
            foreach (var source in scenario.Sources)
                yield return new ExportedFile($"{root}{SourcesFolder}/{source.Name}.safetensors", source.Stage, StageFiles.Model);
        }
    }

    private static bool Exports(IMethod method) => method.Role == MethodRole.Proposed;
}
