using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;

namespace MedMerge.Reporting;

/// <summary>A model, or what belongs to one, that a run leaves for its user.</summary>
/// <param name="Name">Its path in the output folder, with '/'.</param>
/// <param name="Stage">Whose output it is.</param>
/// <param name="Artefact">Its name there, of <see cref="StageFiles"/>.</param>
public sealed record ExportedFile(string Name, Stage Stage, string Artefact);

/// <summary>A file of a run's results.</summary>
/// <param name="Format"><c>json</c>, <c>csv</c> or <c>md</c>.</param>
public sealed record ResultFile(string Format, Func<ScenarioResult, string> Write)
{
    /// <summary>Its name in the output folder.</summary>
    public string Name => $"results.{Format}";
}

/// <summary>What a run leaves for its user, wherever it ran: the same names and the same bytes.</summary>
public static class OutputFiles
{
    /// <summary>The results, for programs and people. The JSON comes first: it tells later runs that the models beside it are a run's.</summary>
    public static IReadOnlyList<ResultFile> Results { get; } = [new("json", ResultFiles.ToJson), new("csv", ResultFiles.ToCsv), new("md", ComparisonTable.Render)];

    private const string KernelWeights = "kernel-weights.safetensors", Merged = "merged.safetensors", Certificate = "certificate.json", Model = "model.safetensors",
        FineTuning = "fine-tuning.json", Weighing = "weighing.json";

    /// <summary>What lies in a seed's folder.</summary>
    public static IReadOnlyList<string> SeedFiles { get; } = [KernelWeights, Merged, Certificate, Model, FineTuning, Weighing];

    /// <summary>Each seed's merged model with its kernel weights and certificate, and the sources as merged.</summary>
    /// <param name="finished">Those of the plan's trials that have a result.</param>
    public static IEnumerable<ExportedFile> Models(Plan plan, IEnumerable<Trial> finished)
    {
        foreach (var trial in finished.Where(trial => trial.Method.Kind == MethodKind.MedMerge))
        {
            var folder = $"medmerge/seed-{trial.Seed}";
            yield return new($"{folder}/{KernelWeights}", trial.Merge!, StageFiles.KernelWeights);
            yield return new($"{folder}/{Merged}", trial.Merge!, StageFiles.Model);
            yield return new($"{folder}/{Certificate}", trial.Merge!, StageFiles.Certificate);
            yield return new($"{folder}/{Model}", trial.Model, StageFiles.Model);
            yield return new($"{folder}/{FineTuning}", trial.Model, StageFiles.History);
            yield return new($"{folder}/{Weighing}", trial.Merge!.Weights, StageFiles.History);
            if (trial.Seed != plan.Specification.Seeds[0]) continue;
            foreach (var (prepared, source) in trial.Merge.Sources.Zip(trial.Merge.SourceNames))
                yield return new($"sources/{source}.safetensors", prepared.Inputs[0], StageFiles.Model);
        }
    }
}
