namespace MedMerge.Statistics;

/// <summary>A model's answers on one split, next to the truth.</summary>
/// <param name="Classes">The number of classes.</param>
/// <param name="Probabilities">[images × classes], row-major; each row sums to 1.</param>
/// <param name="Labels">[images].</param>
internal sealed record Predictions(int Classes, double[] Probabilities, int[] Labels)
{
    /// <summary>The number of images.</summary>
    public int Count => Labels.Length;

    /// <summary>Image <paramref name="image"/>'s probabilities, [classes].</summary>
    public ReadOnlySpan<double> Row(int image) => Probabilities.AsSpan(image * Classes, Classes);

    /// <summary>The most probable class; a tie goes to the first.</summary>
    public int Predicted(int image)
    {
        var row = Row(image);
        var best = 0;
        for (var c = 1; c < row.Length; c++) if (row[c] > row[best]) best = c;
        return best;
    }
}
