using System.Text.Json.Serialization;
using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Stages;

/// <summary>What stages train and evaluate on, and with: a part of their settings, and so of their keys.</summary>
/// <param name="Threads">Number of libtorch threads; the order of its sums depends on it.</param>
/// <param name="Device">The kind of device, <c>cpu</c> or <c>cuda MODEL</c>: results are the same on all devices of a kind.</param>
internal sealed record TargetContext(
    [property: JsonIgnore] Architecture Architecture,
    [property: JsonIgnore] ImageDataset Dataset,
    int Threads,
    string Device)
{
    /// <summary>
    /// Numbers that training holds for each output of a layer: a convolution's and a batch norm's output, and the gradient of one of them.
    /// </summary>
    private const int NumbersPerActivation = 3;

    /// <summary>The same for each parameter: its value, gradient and two moments, the best epoch's value and a checkpoint's.</summary>
    private const int NumbersPerParameter = 6;

    /// <summary>What a checkpoint has for each parameter: its value and the best epoch's, two moments.</summary>
    private const int NumbersPerSavedParameter = 4;

    /// <summary>The data set's content hash.</summary>
    public string Data => Dataset.ContentHash;

    /// <summary>The architecture's name and width.</summary>
    public string Network => Architecture.Title;

    /// <summary>The classes' names, which exported models hold; null where the data set has none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? ClassNames => Dataset.Info.ClassNames is { Count: > 0 } names ? names : null;

    /// <summary>What a model that is trained on the data set takes and gives.</summary>
    [JsonIgnore]
    public ModelSignature Signature => ModelSignature.Of(Dataset);

    /// <summary>The version of libtorch, because another may round differently.</summary>
    public string Libtorch => TorchRuntime.Version;

    /// <summary>About how many bytes training takes. Device thread only.</summary>
    /// <param name="batchSize">In images, of one step on one device.</param>
    /// <param name="models">How many models' kernels are held.</param>
    public long EstimateTraining(int batchSize, int models = 1)
    {
        var activations = batchSize * Architecture.CountActivations(Dataset.Height, Dataset.Width);
        return sizeof(float) * ((NumbersPerActivation * activations) + ((NumbersPerParameter + models - 1) * Parameters));
    }

    /// <summary>About how many bytes a checkpoint of training has.</summary>
    public long EstimateState() => sizeof(float) * NumbersPerSavedParameter * Parameters;

    private long Parameters => Architecture.Layers.Sum(layer => layer.Shape.Aggregate((a, b) => a * b));

    /// <summary>The cost of one forward pass over the training images.</summary>
    [JsonIgnore]
    public double ForwardPass => (double)Dataset.Train.Count * Dataset.Height * Dataset.Width;

    /// <summary>The cost of one training epoch: a forward pass, a backward pass of twice its cost, and validation.</summary>
    [JsonIgnore]
    public double TrainingEpoch => (3 * ForwardPass) + ((double)Dataset.Validation.Count * Dataset.Height * Dataset.Width);
}
