using System.Text.Json.Serialization;
using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Stages;

/// <summary>What a computing stage learns on and with: a part of its settings.</summary>
/// <param name="Threads">libtorch's threads; its sums depend on them.</param>
/// <param name="Device">The kind of device, <c>cpu</c> or <c>cuda</c>: results are the same on any one of a kind.</param>
public sealed record TargetContext([property: JsonIgnore] Architecture Architecture, [property: JsonIgnore] ImageDataset Dataset, int Threads, string Device)
{
    /// <summary>Names the data by its content.</summary>
    public string Data => Dataset.ContentHash;

    /// <summary>Name and width.</summary>
    public string Network => Architecture.Title;

    /// <summary>Another libtorch may round otherwise.</summary>
    public string Libtorch => TorchRuntime.Version;

    /// <summary>The cost of one forward pass over the training images.</summary>
    [JsonIgnore]
    public double ForwardPass => (double)Dataset.Train.Count * Dataset.Height * Dataset.Width;

    /// <summary>The cost of one epoch of training: forward, backward twice as much, and validation.</summary>
    [JsonIgnore]
    public double TrainingEpoch => (3 * ForwardPass) + ((double)Dataset.Validation.Count * Dataset.Height * Dataset.Width);
}
