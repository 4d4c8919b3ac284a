using System.Text.Json.Serialization;
using MedMerge.Training;

namespace MedMerge.Experiments.Specifications;

/// <summary>The settings of a scenario; <see cref="SettingTable"/> names and bounds each.</summary>
internal sealed record ScenarioSettings
{
    /// <summary>How kernel weights are learned.</summary>
    public KernelWeightSettings KernelWeights { get; init; } = new();

    /// <summary>How models are fine-tuned.</summary>
    public FineTuneSettings FineTune { get; init; } = new();

    /// <summary><c>cpu</c> or <c>cuda:N</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Number of libtorch threads; the order of its sums depends on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary><c>cpu</c> or <c>cuda</c>: results are the same on any device of a kind.</summary>
    [JsonIgnore]
    public string DeviceKind => Device.Split(':')[0];

    /// <summary>
    /// Passes over the training images for every method, over all stages: linear probe, kernel weights, batch norm statistics and
    /// fine-tuning.
    /// </summary>
    [JsonIgnore]
    public int Budget => 1 + KernelWeights.Epochs + 1 + FineTune.Epochs;
}
