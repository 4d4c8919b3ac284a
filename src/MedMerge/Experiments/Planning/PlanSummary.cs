using System.Text.Json;
using System.Text.Json.Serialization;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Specifications;
using MedMerge.Training;

namespace MedMerge.Experiments.Planning;

/// <summary>
/// A plan without pixels, weights or anything that runs: an artefact that is written where a sweep is submitted, and all that tables, pages and the
/// sweep itself need to know of it.
/// </summary>
/// <param name="Name">The sweep's, as shown to people.</param>
/// <param name="Parallel">Trials at a time over the whole cluster; null is one for each node that has the device.</param>
/// <param name="Stages">Every stage of every trial, each once, in the order they run.</param>
/// <param name="Trials">By number.</param>
/// <param name="Notes">What was decided while reading the sources, for the user to know.</param>
public sealed record PlanSummary(
    string Name,
    int? Parallel,
    IReadOnlyList<ScenarioSummary> Scenarios,
    IReadOnlyList<StageSummary> Stages,
    IReadOnlyList<PlannedTrial> Trials,
    IReadOnlyList<string> Notes)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        Converters = { new JsonStringEnumConverter() },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>The summary of a plan.</summary>
    public static PlanSummary Of(Plan plan)
    {
        var positions = plan.Stages.Index().ToDictionary(stage => stage.Item.Key, stage => stage.Index);
        var scenarios = plan.Scenarios.Index().ToDictionary(scenario => scenario.Item, scenario => scenario.Index);
        return new PlanSummary(
            plan.Specification.Name,
            plan.Specification.Parallel,
            [.. plan.Scenarios.Select(ScenarioSummary.Of)],
            [.. plan.Stages.Select(stage => new StageSummary(stage.Key, stage.Name, stage.Cost))],
            [.. plan.Trials.Select(trial => PlannedTrial.Of(trial, scenarios[trial.Scenario], positions))],
            plan.Notes);
    }

    /// <summary>Back from <see cref="Write"/>.</summary>
    /// <exception cref="JsonException">It is the summary of another version, or none.</exception>
    public static PlanSummary Read(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize<PlanSummary>(json, Json) ?? throw new JsonException("The plan's summary is null.");

    /// <summary>As JSON.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>The stages of a trial.</summary>
    public IEnumerable<StageSummary> StagesOf(PlannedTrial trial) => trial.Stages.Select(position => Stages[position]);

    /// <summary>The scenario of a trial.</summary>
    public ScenarioSummary ScenarioOf(PlannedTrial trial) => Scenarios[trial.Scenario];
}

/// <summary>A stage, by what is known of it before it runs.</summary>
/// <param name="Name">What it does, in a word.</param>
/// <param name="Cost">Expected work in images seen × pixels.</param>
public sealed record StageSummary(string Key, string Name, double Cost);

/// <summary>A trial of a plan.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Scenario">Position among the plan's scenarios.</param>
/// <param name="Method">The method's name.</param>
/// <param name="Source">The source's, where the method has a row for each.</param>
/// <param name="Predictions">Key of the stage that gives the predictions.</param>
/// <param name="Stages">Positions among the plan's stages, inputs before those that read them.</param>
public sealed record PlannedTrial(
    int Number,
    int Scenario,
    string Method,
    string? Source,
    ulong Seed,
    string Predictions,
    IReadOnlyList<PlannedOutput> Outputs,
    IReadOnlyList<int> Stages)
{
    /// <summary>The row of the table that it belongs to.</summary>
    [JsonIgnore]
    public MethodRow Row => new(MethodRegistry.Get(Method), Source);

    /// <summary>What the trial leaves in a role, or null.</summary>
    public PlannedOutput? FindOutput(OutputRole role) => Outputs.FirstOrDefault(output => output.Role == role);

    internal static PlannedTrial Of(Trial trial, int scenario, IReadOnlyDictionary<string, int> positions) => new(
        trial.Number,
        scenario,
        trial.Method.Method.Name,
        trial.Method.Source,
        trial.Seed,
        trial.Predictions.Key,
        [.. trial.Parts.Outputs.Select(output => new PlannedOutput(output.Role, output.Stage.Key, output.Artefact))],
        [.. trial.Stages.Select(stage => positions[stage.Key])]);
}

/// <summary>A file that a trial leaves for its user.</summary>
/// <param name="Stage">Key of the stage whose output it is.</param>
/// <param name="Artefact">Its name there.</param>
public sealed record PlannedOutput(OutputRole Role, string Stage, string Artefact);

/// <summary>A scenario, by what tables and files say of it.</summary>
/// <param name="Architecture">Name and width.</param>
/// <param name="Anchor">The source that α starts from.</param>
public sealed record ScenarioSummary(
    string Name,
    string Architecture,
    TargetSummary Target,
    IReadOnlyList<SourceSummary> Sources,
    string Anchor,
    ScenarioSettings Settings,
    IReadOnlyList<ulong> Seeds)
{
    internal static ScenarioSummary Of(Scenario scenario) => new(
        scenario.Name,
        scenario.Architecture.Title,
        TargetSummary.Of(scenario.Target),
        [.. scenario.Sources.Select(SourceSummary.Of)],
        scenario.Sources[scenario.Anchor].Name,
        scenario.Settings,
        scenario.Seeds);
}

/// <summary>A data set, by what tables and files say of it.</summary>
/// <param name="Sha256">Over everything that training can see.</param>
/// <param name="Mean">Of each channel over the training split, values scaled to 0 … 1.</param>
/// <param name="Deviation">Likewise.</param>
public sealed record TargetSummary(string Name, bool IsSynthetic, string Sha256, int TestImages, IReadOnlyList<double> Mean, IReadOnlyList<double> Deviation)
{
    /// <summary>The name, with "(synthetic)" where it is.</summary>
    [JsonIgnore]
    public string Title => Data.ImageDataset.GetTitle(Name, IsSynthetic);

    internal static TargetSummary Of(Data.ImageDataset target)
    {
        var (mean, deviation) = target.Normalisation;
        return new TargetSummary(target.Name, target.IsSynthetic, target.ContentHash, target.Test.Count, mean, deviation);
    }
}

/// <summary>A source model, by what tables and files say of it.</summary>
/// <param name="Title">With where it comes from.</param>
/// <param name="Stage">Key of the stage that gives it.</param>
/// <param name="Pretraining">How it is trained; null where it is read from a file.</param>
/// <param name="PretrainingSeed">Of the random weights and the batches.</param>
public sealed record SourceSummary(string Name, string Title, string Stage, FineTuneSettings? Pretraining, ulong? PretrainingSeed)
{
    internal static SourceSummary Of(ScenarioSource source) => new(
        source.Name,
        source.Model.GetTitle(),
        source.Stage.Key,
        source.Model.Pretrain?.Training,
        source.Model.Pretrain?.Seed);
}
