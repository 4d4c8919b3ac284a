using System.Text.Json.Serialization;
using MedMerge.Merging;
using MedMerge.Merging.Alignment;
using MedMerge.Statistics;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments.Specifications;

/// <summary>How images become the input of source models.</summary>
internal enum SourceInput
{
    /// <summary>Normalised as the target's training images are.</summary>
    Target,

    /// <summary>Each source gets what it was trained to take: its first layer is adapted to the target's normalisation.</summary>
    Source,
}

/// <summary>What happens to the scale of a merged model's channels.</summary>
internal enum Rescaling
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>They get the mean and deviation that the sources' have (<see cref="Merging.ActivationRescaling"/>).</summary>
    Repair,
}

/// <summary>Which model a merge ends with.</summary>
internal enum ModelChoice
{
    /// <summary>Its own.</summary>
    Merged,

    /// <summary>Its own where it is better on validation than every single source's; the best of those where it is not.</summary>
    Best,
}

/// <summary>The settings of a scenario; <see cref="SettingTable"/> names and bounds each.</summary>
internal sealed record ScenarioSettings
{
    private const double LearningRateFactor = 3;

    /// <summary>How kernel weights are learned.</summary>
    public KernelWeightSettings KernelWeights { get; init; } = new();

    /// <summary>How models are fine-tuned.</summary>
    public FineTuneSettings FineTune { get; init; } = new();

    /// <summary>
    /// Learning rates that every trial's fine-tuning tries, a factor of three apart around <see cref="FineTuneSettings.LearningRate"/>;
    /// the one with the best validation score counts.
    /// </summary>
    public int LearningRateTries { get; init; } = 3;

    /// <summary>
    /// The largest difference between two methods that makes no difference in practice, in units of the metric; 0 where none is named.
    /// </summary>
    public double EquivalenceMargin { get; init; }

    /// <summary>The layers that one source gives alone, as <see cref="GivenLayers"/> has them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? LayersFrom { get; init; }

    /// <summary>How images become the input of source models.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public SourceInput InputNormalisation { get; init; }

    /// <summary>What becomes of the sources' batch norms in a merge.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public BatchNormPolicy BatchNorm { get; init; }

    /// <summary>What happens to the scale of a merged model's channels.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public Rescaling Rescaling { get; init; }

    /// <summary>Which model a merge ends with.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] // specifications without it keep their bytes, and so their ids
    public ModelChoice Select { get; init; }

    /// <summary>How the channels of other sources are brought into the order of the anchor's before they are merged.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] // specifications without it keep their bytes, and so their ids
    public AlignmentMethod Alignment { get; init; }

    /// <summary>As <see cref="DeviceName"/> has it.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Number of libtorch threads; the order of its sums depends on it.</summary>
    public int Threads { get; init; } = DeviceThread.DefaultThreads;

    /// <summary>What epochs, learning rates and rivals are chosen by, and what the verdict is about.</summary>
    [JsonIgnore]
    public Metric Metric => FineTune.Metric;

    /// <summary>The learning rates that are tried, from the lowest.</summary>
    [JsonIgnore]
    public IReadOnlyList<double> LearningRates =>
    [
        .. Enumerable.Range(0, LearningRateTries)
            .Select(i => FineTune.LearningRate * Math.Pow(LearningRateFactor, i - ((LearningRateTries - 1) / 2))),
    ];

    /// <summary><c>cpu</c>, or a GPU's model: results are the same on any device of a kind.</summary>
    [JsonIgnore]
    public string DeviceKind => DeviceName.Kind(Device);

    /// <summary>
    /// Passes over the training images for every method, over all stages: linear probe, kernel weights, batch norm statistics and
    /// fine-tuning.
    /// </summary>
    [JsonIgnore]
    public int Budget => 1 + KernelWeights.Epochs + 1 + FineTune.Epochs;
}
