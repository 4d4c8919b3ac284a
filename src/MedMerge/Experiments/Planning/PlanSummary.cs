using System.Text.Json;
using System.Text.Json.Serialization;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Training;

namespace MedMerge.Experiments.Planning;

/// <summary>
/// A plan without pixels, parameters or code: an artefact that is written at submission and holds all that tables,
/// pages and the sweep need to know about the plan.
/// </summary>
/// <param name="Name">The sweep's display name.</param>
/// <param name="Parallel">Concurrent trials over the whole cluster; null for as many as the nodes with the device have lanes.</param>
/// <param name="Stages">The stages of all trials, each once, in the order they run.</param>
/// <param name="Trials">By number.</param>
/// <param name="Notes">Decisions made while reading the sources, to show to the user.</param>
internal sealed record PlanSummary(
    string Name,
    int? Parallel,
    IReadOnlyList<ScenarioSummary> Scenarios,
    IReadOnlyList<StageSummary> Stages,
    IReadOnlyList<PlannedTrial> Trials,
    IReadOnlyList<string> Notes)
{
    /// <inheritdoc cref="Specification.Priority" />
    public int Priority { get; init; }

    /// <inheritdoc cref="Specification.Budget" />
    public SweepBudget? Budget { get; init; }

    /// <inheritdoc cref="Specification.Halving" />
    public Halving? Halving { get; init; }

    /// <inheritdoc cref="Specification.IsSearch" />
    public bool IsSearch { get; init; }

    /// <inheritdoc cref="Specification.Text" />
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Text { get; init; }

    private static readonly JsonSerializerOptions Json = new()
    {
        Converters = { new JsonStringEnumConverter() },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>Summarises a plan.</summary>
    public static PlanSummary Of(Plan plan)
    {
        var positions = plan.Stages.Index().ToDictionary(stage => stage.Item.Key, stage => stage.Index);
        var scenarios = plan.Scenarios.Index().ToDictionary(scenario => scenario.Item, scenario => scenario.Index);
        return new PlanSummary(
            plan.Specification.Name,
            plan.Specification.Parallel,
            SummariseScenarios(plan),
            [.. plan.Stages.Select(stage => StageSummary.Of(stage))],
            [.. plan.Trials.Select(trial => PlannedTrial.Of(trial, scenarios[trial.Scenario], positions))],
            plan.Notes)
        {
            Priority = plan.Specification.Priority,
            Budget = plan.Specification.Budget,
            Halving = plan.Specification.Halving,
            IsSearch = plan.Specification.IsSearch,
            Text = plan.Specification.Text,
        };
    }

    private static List<ScenarioSummary> SummariseScenarios(Plan plan)
    {
        var choices = plan.Trials
            .Where(trial => trial.Scenario.Anchor is null)
            .Select(trial => (trial.Scenario.Name, Choice: trial.Stages.OfType<ChooseAnchorStage>().FirstOrDefault()))
            .Where(trial => trial.Choice is not null)
            .DistinctBy(trial => trial.Name)
            .ToDictionary(trial => trial.Name, trial => trial.Choice!.Key);
        return
        [
            .. plan.Scenarios.Select(scenario =>
                ScenarioSummary.Of(scenario) with { AnchorChoice = choices.GetValueOrDefault(scenario.Name) }),
        ];
    }

    /// <summary>Reads the JSON of <see cref="Write"/>.</summary>
    /// <exception cref="JsonException">The JSON is not a plan summary of this version.</exception>
    public static PlanSummary Read(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize<PlanSummary>(json, Json) ?? throw new JsonException("The plan's summary is null.");

    /// <summary>Reads the keys of the stages alone, whatever version wrote the JSON.</summary>
    /// <returns>The keys; null where there are none to be found.</returns>
    public static IReadOnlyList<string>? FindStageKeys(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var stages = document.RootElement.GetProperty(nameof(Stages));
            return [.. stages.EnumerateArray().Select(stage => stage.GetProperty(nameof(StageSummary.Key)).GetString()!)];
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Writes the summary as JSON.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>The stages of a trial.</summary>
    public IEnumerable<StageSummary> GetStages(PlannedTrial trial) => trial.Stages.Select(position => Stages[position]);

    /// <summary>
    /// The scenarios by what they are candidates for: a target and a set of sources, in the plan's order.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<int>> GetArenas() =>
    [
        .. Scenarios.Index()
            .GroupBy(scenario => (scenario.Item.Target.Sha256, string.Join('\n', scenario.Item.Sources.Select(source => source.Name))))
            .Select(arena => (IReadOnlyList<int>)[.. arena.Select(scenario => scenario.Index)]),
    ];

    /// <summary>The scenario of a trial.</summary>
    public ScenarioSummary GetScenario(PlannedTrial trial) => Scenarios[trial.Scenario];
}

/// <summary>What is known about a stage before it runs.</summary>
/// <param name="Name">What it does, in one word.</param>
/// <param name="Cost">Expected work in images seen × pixels.</param>
internal sealed record StageSummary(string Key, string Name, double Cost)
{
    /// <summary>The recipe where the stage has a computation of its own, so that its key is another; otherwise null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? OtherRecipe { get; init; }

    /// <inheritdoc cref="Stage.Recipe" />
    [JsonIgnore]
    public string Recipe => OtherRecipe ?? Key;

    internal static StageSummary Of(Stage stage) => new(stage.Key, stage.Name, stage.Cost)
    {
        OtherRecipe = stage.Recipe == stage.Key ? null : stage.Recipe,
    };
}

/// <summary>A trial of a plan.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Scenario">Position among the plan's scenarios.</param>
/// <param name="Method">The method's name.</param>
/// <param name="Source">The source's name, if the method has a row for each source.</param>
/// <param name="Predictions">Key of the stage that computes the predictions.</param>
/// <param name="Stages">Positions among the plan's stages, inputs first.</param>
internal sealed record PlannedTrial(
    int Number,
    int Scenario,
    string Method,
    string? Source,
    ulong Seed,
    string Predictions,
    IReadOnlyList<PlannedOutput> Outputs,
    IReadOnlyList<int> Stages)
{
    /// <summary>Keys of the stages that score it at each rung of a search; none where it always runs to its end.</summary>
    public IReadOnlyList<string> Rungs { get; init; } = [];

    /// <summary>Its row of the table.</summary>
    [JsonIgnore]
    public MethodRow Row => new(MethodRegistry.Get(Method), Source);

    /// <summary>Finds the exported file with a role.</summary>
    public PlannedOutput? FindOutput(OutputRole role) => Outputs.FirstOrDefault(output => output.Role == role);

    internal static PlannedTrial Of(Trial trial, int scenario, IReadOnlyDictionary<string, int> positions) => new(
        trial.Number,
        scenario,
        trial.Method.Method.Name,
        trial.Method.Source,
        trial.Seed,
        trial.Predictions.Key,
        [.. trial.Parts.Outputs.Select(output => new PlannedOutput(output.Role, output.Stage.Key, output.Artefact))],
        [.. trial.Stages.Select(stage => positions[stage.Key])])
    {
        Rungs = [.. trial.Parts.Rungs.Select(rung => rung.Key)],
    };
}

/// <summary>A file that a trial exports.</summary>
/// <param name="Stage">Key of the stage that writes it.</param>
/// <param name="Artefact">Its name in the stage's output.</param>
internal sealed record PlannedOutput(OutputRole Role, string Stage, string Artefact);

/// <summary>What tables and files show of a scenario.</summary>
/// <param name="Architecture">Name and width.</param>
/// <param name="Anchor">The source that α starts from; <c>best-probe</c> where that is chosen when stages run.</param>
internal sealed record ScenarioSummary(
    string Name,
    string Architecture,
    TargetSummary Target,
    IReadOnlyList<SourceSummary> Sources,
    string Anchor,
    ScenarioSettings Settings,
    IReadOnlyList<ulong> Seeds)
{
    /// <summary>Key of the stage that chooses the anchor; null where it is named, or nothing that is run needs it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? AnchorChoice { get; init; }

    internal static ScenarioSummary Of(Scenario scenario) => new(
        scenario.Name,
        scenario.Architecture.Title,
        TargetSummary.Of(scenario.Target),
        [.. scenario.Sources.Select(SourceSummary.Of)],
        scenario.Anchor is { } anchor ? scenario.Sources[anchor].Name : Specification.BestProbe,
        scenario.Settings,
        scenario.Seeds);
}

/// <summary>What tables and files show of a data set.</summary>
/// <param name="Sha256">Hash of everything that training can see.</param>
/// <param name="Mean">Mean of each channel over the training split, with values scaled to 0 … 1.</param>
/// <param name="Deviation">Standard deviation of each channel, likewise.</param>
internal sealed record TargetSummary(
    string Name,
    bool IsSynthetic,
    string Sha256,
    int TestImages,
    IReadOnlyList<double> Mean,
    IReadOnlyList<double> Deviation)
{
    /// <summary>How many images are trained on; 0 where a plan of an earlier version does not say.</summary>
    public int TrainImages { get; init; }

    /// <summary>How many images choices are made on; likewise.</summary>
    public int ValidationImages { get; init; }

    /// <summary>Of its images, in pixels.</summary>
    public int Height { get; init; }

    /// <summary>Of its images, in pixels.</summary>
    public int Width { get; init; }

    /// <summary>What its classes or labels are called, where that is known.</summary>
    public IReadOnlyList<string> ClassNames { get; init; } = [];

    /// <summary>The classes' names, or their numbers where those are all that is known.</summary>
    public IReadOnlyList<string> GetClassNames(int classes) =>
        ClassNames.Count == classes ? ClassNames : [.. Enumerable.Range(0, classes).Select(number => $"{number}")];

    /// <summary>The name, followed by "(synthetic)" if it is.</summary>
    [JsonIgnore]
    public string Title => Data.DatasetInfo.GetTitle(Name, IsSynthetic);

    internal static TargetSummary Of(Data.ImageDataset target)
    {
        var (mean, deviation) = target.Normalisation;
        return new TargetSummary(target.Name, target.IsSynthetic, target.ContentHash, target.Test.Count, mean, deviation)
        {
            TrainImages = target.Train.Count,
            ValidationImages = target.Validation.Count,
            ClassNames = target.Info.ClassNames,
            Height = target.Height,
            Width = target.Width,
        };
    }
}

/// <summary>What tables and files show of a source model.</summary>
/// <param name="Title">Name and origin.</param>
/// <param name="Stage">Key of the stage that provides it.</param>
/// <param name="Pretraining">How it is trained; null if it is read from a file.</param>
/// <param name="PretrainingSeed">Seed of the initial weights and the batches.</param>
internal sealed record SourceSummary(
    string Name,
    string Title,
    string Stage,
    FineTuneSettings? Pretraining,
    ulong? PretrainingSeed)
{
    /// <summary>The files and data sets that it is made of; empty where a plan of an earlier version does not say.</summary>
    public IReadOnlyList<SourceOrigin> Origins { get; init; } = [];

    internal static SourceSummary Of(ScenarioSource source) => new(
        source.Name,
        source.Title,
        source.Stage.Key,
        source.Model.Pretrain?.Training,
        source.Model.Pretrain?.Seed)
    {
        Origins = [.. FindOrigins(source.Stage).Distinct()],
    };

    private static IEnumerable<SourceOrigin> FindOrigins(Stage stage)
    {
        foreach (var input in stage.Inputs.SelectMany(FindOrigins)) yield return input;
        if (stage is ImportStage import) yield return new SourceOrigin(Path.GetFileName(import.Path), import.FileHash);
        if (stage is FineTuneStage { Target.Dataset: var data }) yield return new SourceOrigin(data.Title, data.ContentHash);
    }
}

/// <summary>A weight file, or a data set that a source is trained on.</summary>
/// <param name="Sha256">Of the file, or of everything in the data set that training can see.</param>
internal sealed record SourceOrigin(string Name, string Sha256);
