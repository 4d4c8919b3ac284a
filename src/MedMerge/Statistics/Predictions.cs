using System.Text.Json.Serialization;

namespace MedMerge.Statistics;

/// <summary>A model's answers on one split, next to the truth.</summary>
/// <param name="Classes">The number of classes.</param>
/// <param name="Probabilities">[images × classes], row-major; each row sums to 1, but where an image may have several labels.</param>
/// <param name="Labels">[images], as <see cref="LabelSet"/> has them.</param>
internal sealed record Predictions(int Classes, double[] Probabilities, int[] Labels)
{
    /// <summary>Where no threshold is set.</summary>
    public const double EvenThreshold = 0.5;

    /// <summary>Whether an image may have several labels, or none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsMultiLabel { get; init; }

    /// <summary>[classes], where an image may have several labels: the probability from which on it is taken to have one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double[]? Thresholds { get; init; }

    /// <summary>The number of images.</summary>
    public int Count => Labels.Length;

    /// <summary>Image <paramref name="image"/>'s probabilities, [classes].</summary>
    public ReadOnlySpan<double> Row(int image) => Probabilities.AsSpan(image * Classes, Classes);

    /// <summary>Whether an image is of a class, or has one of several labels.</summary>
    public bool Has(int image, int @class) => LabelSet.Has(Labels[image], @class, IsMultiLabel);

    /// <summary>Whether the model takes an image to have one of several labels.</summary>
    public bool IsPredicted(int image, int label) => Row(image)[label] >= (Thresholds?[label] ?? EvenThreshold);

    /// <summary>The most probable class; a tie goes to the first.</summary>
    public int Predicted(int image)
    {
        var row = Row(image);
        var best = 0;
        for (var c = 1; c < row.Length; c++) if (row[c] > row[best]) best = c;
        return best;
    }
}
