using System.Text.Json.Serialization;
using MedMerge.Models;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>A linear classifier in float64: logits = W·features + b.</summary>
/// <param name="Weight">[classes × features], row-major.</param>
/// <param name="Bias">[classes].</param>
internal sealed record Head(double[] Weight, double[] Bias)
{
    /// <summary>
    /// The largest entry of the loss's gradient where a probe ended before it reached its optimum; null where it reached it, and for heads
    /// that were trained otherwise.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? RemainingGradient { get; init; }

    /// <summary>The number of classes.</summary>
    public int Classes => Bias.Length;

    /// <summary>The classifier of a state dictionary.</summary>
    public static Head From(Architecture architecture, StateDict weights) => new(
        Doubles(weights[architecture.Classifier + ".weight"]), Doubles(weights[architecture.Classifier + ".bias"]));

    /// <summary>Adds it under the architecture's classifier name, as float32.</summary>
    public void AddTo(Architecture architecture, StateDict weights)
    {
        using var scope = NewDisposeScope();
        weights.Add(architecture.Classifier + ".weight", tensor(Weight).view(Classes, -1).to(ScalarType.Float32));
        weights.Add(architecture.Classifier + ".bias", tensor(Bias).to(ScalarType.Float32));
    }

    /// <summary>Creates a copy of a model with this as its classifier.</summary>
    public StateDict ReplaceIn(Architecture architecture, StateDict model)
    {
        var replaced = new StateDict();
        foreach (var (name, tensor) in model)
        {
            var isClassifier = name.StartsWith(architecture.Classifier + ".", StringComparison.Ordinal);
            if (!isClassifier) replaced.Add(name, tensor.clone());
        }
        AddTo(architecture, replaced);
        return replaced;
    }

    private static double[] Doubles(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.to(ScalarType.Float64).contiguous().data<double>().ToArray();
    }
}
