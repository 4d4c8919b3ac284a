namespace MedMerge.Statistics;

/// <summary>Counts a model's answers, also of resampled images.</summary>
internal sealed class ConfusionCounter
{
    private readonly int _classes;
    private readonly int[][] _cells; // for each label, or once for all classes: the cell of each image

    /// <summary>Finds each image's cells, which are the same however often the image counts.</summary>
    public ConfusionCounter(Predictions predictions)
    {
        _classes = predictions.Classes;
        IsMultiLabel = predictions.IsMultiLabel;
        _cells = IsMultiLabel
            ? [.. Enumerable.Range(0, _classes).Select(label => FindCells(predictions, label))]
            : [FindCells(predictions)];
    }

    private bool IsMultiLabel { get; }

    /// <summary>Counts each image as often as <paramref name="multiplicity"/> says, once where it is empty.</summary>
    public IConfusion Count(ReadOnlySpan<int> multiplicity = default)
    {
        if (!IsMultiLabel) return ConfusionMatrix.Count(_classes, _cells[0], multiplicity);
        var labels = new ConfusionMatrix[_classes];
        for (var label = 0; label < labels.Length; label++) labels[label] = ConfusionMatrix.Count(2, _cells[label], multiplicity);
        return new LabelConfusion(labels);
    }

    private static int[] FindCells(Predictions predictions)
    {
        var cells = new int[predictions.Count];
        for (var i = 0; i < cells.Length; i++) cells[i] = (predictions.Labels[i] * predictions.Classes) + predictions.Predicted(i);
        return cells;
    }

    private static int[] FindCells(Predictions predictions, int label)
    {
        var cells = new int[predictions.Count];
        for (var i = 0; i < cells.Length; i++)
            cells[i] = (predictions.Has(i, label) ? 2 : 0) + (predictions.IsPredicted(i, label) ? 1 : 0);
        return cells;
    }
}
