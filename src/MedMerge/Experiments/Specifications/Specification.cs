using System.Text.Json.Serialization;
using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Training;

namespace MedMerge.Experiments.Specifications;

/// <summary>A sweep as the user describes it. See docs/specification.md for the YAML form.</summary>
internal sealed record Specification
{
    /// <summary>As an anchor, the source with the best linear probe.</summary>
    public const string BestProbe = "best-probe";

    /// <summary>The YAML key of <see cref="RefusesCopies"/>.</summary>
    public const string CopiesKey = "copies";

    /// <summary>Shown in tables and file names.</summary>
    public required string Name { get; init; }

    /// <summary>The data set for training and evaluation.</summary>
    public required DatasetSource Target { get; init; }

    /// <summary>The architecture of all sources and of the merged model.</summary>
    public required Architecture Architecture { get; init; }

    /// <summary>The source models, at least two.</summary>
    public required IReadOnlyList<SourceModel> Sources { get; init; }

    /// <summary>Index of the source that α starts from.</summary>
    public int Anchor { get; init; }

    /// <summary>Whether α starts from each scenario's source with the best linear probe on the target's validation split instead.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsAnchorBestProbe { get; init; }

    /// <summary>Names of the methods to compare.</summary>
    public required IReadOnlyList<string> Methods { get; init; }

    /// <summary>Each method runs once for each seed.</summary>
    public required IReadOnlyList<ulong> Seeds { get; init; }

    /// <summary>Training settings, device and threads.</summary>
    public ScenarioSettings Settings { get; init; } = new();

    /// <summary>What differs between scenarios; null for one scenario with the sweep's name.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ScenarioPoint>? Points { get; init; }

    /// <summary>
    /// Concurrent trials over the whole cluster; null for as many as the nodes with the device have lanes. Results do not depend on
    /// it.
    /// </summary>
    public int? Parallel { get; init; }

    /// <summary>Of sweeps on the same nodes those with a higher priority are served first; the others share what is left.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Priority { get; init; }

    /// <summary>Where the sweep stops beginning trials; null for nowhere.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SweepBudget? Budget { get; init; }

    /// <summary>Whether scenarios are candidates, of which only the best go on; null where all run to their end.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Halving? Halving { get; init; }

    /// <summary>
    /// Whether scenarios of one target and one set of sources are candidates of a search, and results are those of each method's best on
    /// the validation split.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsSearch { get; init; }

    /// <inheritdoc cref="Stages.Stage.Computation" />
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Computation { get; init; }

    /// <summary>
    /// Whether images of a target's validation or test split that a model is trained on, near copies of them, or other images of their
    /// groups, are an error; they are noted otherwise. Checked on submission.
    /// </summary>
    [JsonIgnore]
    public bool RefusesCopies { get; init; }

    /// <summary>Where the text names data sets and sources; null where it was not read from a text, or is frozen.</summary>
    [JsonIgnore]
    public SpecificationLines? Lines { get; init; }

    /// <summary>The text that it was read from; null where it was not read from a text, or is frozen.</summary>
    [JsonIgnore]
    public string? Text { get; init; }

    /// <summary>The scenarios.</summary>
    public IReadOnlyList<ScenarioPoint> GetPoints() => Points ?? [new ScenarioPoint(Name, Settings)];

    /// <summary>The same on devices that are named in full.</summary>
    public Specification WithDevices(Func<string, string> name) => this with
    {
        Settings = Settings with { Device = name(Settings.Device) },
        Points = Points?.Select(point => point with { Settings = point.Settings with { Device = name(point.Settings.Device) } }).ToList(),
    };
}

/// <summary>Where a sweep stops beginning trials.</summary>
/// <param name="Trials">How many may begin; null for all.</param>
/// <param name="DeviceHours">How much of the lanes' time may be used, in hours; null for any.</param>
internal sealed record SweepBudget(int? Trials, double? DeviceHours);

/// <summary>One scenario of several. What is null is the specification's.</summary>
/// <param name="Name">The scenario's name.</param>
internal sealed record ScenarioPoint(string Name, ScenarioSettings Settings)
{
    /// <summary>The data set for training and evaluation.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DatasetSource? Target { get; init; }

    /// <summary>Indices of the sources, in the specification's order.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? Sources { get; init; }

    /// <summary>Which of <see cref="Sources"/> α starts from.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Anchor { get; init; }
}

/// <summary>A source model: a weight file, or a data set that it is pretrained on as part of the run.</summary>
/// <param name="Weights">Path of a safetensors file, PyTorch checkpoint or ONNX model; null if it is pretrained.</param>
/// <param name="Pretrain">How it is pretrained; null if it is read from a file.</param>
internal sealed record SourceModel(string Name, string? Weights, Pretraining? Pretrain)
{
    /// <summary>
    /// Which of several models in the file is meant, by the prefix of its tensors' names without the '.' at its end; null where
    /// there is one.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] // specifications without it keep their bytes, and so their ids
    public string? Prefix { get; init; }

    /// <summary>How the images were normalised that a weight file was trained on; null where the file says it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public InputNormalisation? Normalisation { get; init; }

    /// <summary>The source that it is trained on from; null where it starts from random weights or is a file.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? From { get; init; }

    /// <summary>This source, the one that it was trained on from, and so on.</summary>
    /// <param name="sources">All sources.</param>
    public IEnumerable<SourceModel> GetOrigins(IReadOnlyCollection<SourceModel> sources)
    {
        for (var model = this; model is not null; model = sources.SingleOrDefault(other => other.Name == model.From))
            yield return model;
    }
}

/// <summary>How a source model is trained from scratch on a data set.</summary>
internal sealed record Pretraining(DatasetSource Data, FineTuneSettings Training, ulong Seed);
