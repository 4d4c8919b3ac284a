namespace MedMerge.Statistics;

/// <summary>Answers to a question for each of several labels.</summary>
/// <param name="labels">For each label a matrix of two classes, of which 1 is the label.</param>
internal sealed class LabelConfusion(IReadOnlyList<ConfusionMatrix> labels) : IConfusion
{
    /// <inheritdoc />
    public double MacroF1
    {
        get
        {
            var scores = labels
                .Select(label => (label.PerClass()[1], IsPredicted: label.Counts[1] > 0))
                .Where(label => label.Item1.Images > 0 || label.IsPredicted)
                .Select(label => label.Item1.F1)
                .ToList();
            return scores.Count == 0 ? 0 : scores.Average();
        }
    }

    /// <inheritdoc />
    public double Accuracy => labels.Average(label => label.Accuracy);

    /// <inheritdoc />
    public double BalancedAccuracy => labels.Average(label => label.BalancedAccuracy);

    /// <inheritdoc />
    public double Kappa(bool quadratic) => labels.Average(label => label.Kappa(quadratic));

    /// <inheritdoc />
    public IReadOnlyList<ClassScore> PerClass() => [.. labels.Select((label, number) => label.PerClass()[1] with { Class = number })];
}
