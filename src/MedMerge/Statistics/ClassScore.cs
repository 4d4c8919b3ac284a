using System.Text.Json.Serialization;

namespace MedMerge.Statistics;

/// <summary>One class's scores, 0 to 1, and its number of images.</summary>
internal sealed record ClassScore(int Class, int Images, double Precision, double Recall, double F1)
{
    /// <summary>The area under the ROC curve, the class against the rest; null where all images are of it, or none is.</summary>
    public double? Auc { get; init; }

    /// <summary>The probability from which on an image is taken to have the label; null where each image has one class.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Threshold { get; init; }
}
