namespace MedMerge.Statistics;

/// <summary>Counts of (true class, predicted class), and the scores that follow from them.</summary>
/// <param name="Classes">The number of classes.</param>
/// <param name="Counts">[true × predicted], row-major.</param>
internal sealed record ConfusionMatrix(int Classes, double[] Counts) : IConfusion
{
    /// <summary>Counts images by their cells, each as often as <paramref name="multiplicity"/> says (once where it is empty).</summary>
    public static ConfusionMatrix Count(int classes, int[] cells, ReadOnlySpan<int> multiplicity)
    {
        var counts = new double[classes * classes];
        for (var i = 0; i < cells.Length; i++) counts[cells[i]] += multiplicity.IsEmpty ? 1 : multiplicity[i];
        return new ConfusionMatrix(classes, counts);
    }

    /// <summary>The answers of several models together.</summary>
    /// <param name="matrices">Of as many classes each, at least one.</param>
    public static ConfusionMatrix Sum(IReadOnlyList<ConfusionMatrix> matrices) => new(
        matrices[0].Classes,
        [.. matrices[0].Counts.Select((_, cell) => matrices.Sum(matrix => matrix.Counts[cell]))]);

    /// <summary>
    /// The mean F1 of the classes that occur or are predicted, as scikit-learn has it: a class that does neither has no F1 to average.
    /// </summary>
    public double MacroF1 => PerClass().Where(score => score.Images > 0 || Column(score.Class) > 0).Average(score => score.F1);

    /// <summary>Share of right answers.</summary>
    public double Accuracy => Enumerable.Range(0, Classes).Sum(c => At(c, c)) / Counts.Sum();

    /// <summary>The mean recall over the classes that occur.</summary>
    public double BalancedAccuracy => PerClass().Where(score => score.Images > 0).Average(score => score.Recall);

    /// <summary>Class by class; a ratio without a denominator is 0.</summary>
    public IReadOnlyList<ClassScore> PerClass()
    {
        return [.. Enumerable.Range(0, Classes).Select(c =>
        {
            var hits = At(c, c);
            var actual = Row(c);
            var predicted = Column(c);
            return new ClassScore(
                c,
                Images: (int)actual,
                Precision: Ratio(hits, predicted),
                Recall: Ratio(hits, actual),
                F1: Ratio(2 * hits, actual + predicted));
        })];
    }

    /// <summary>
    /// Cohen's κ: 1 − Σ w·observed / Σ w·expected, with w = [i ≠ j] or (i − j)². 0 where chance alone explains everything.
    /// </summary>
    public double Kappa(bool quadratic)
    {
        var total = Counts.Sum();
        var (rows, columns) = (Enumerable.Range(0, Classes).Select(Row).ToArray(), Enumerable.Range(0, Classes).Select(Column).ToArray());
        var (observed, expected) = (0.0, 0.0);
        for (var i = 0; i < Classes; i++)
        {
            for (var j = 0; j < Classes; j++)
            {
                var weight = quadratic ? (i - j) * (i - j) : i == j ? 0 : 1;
                observed += weight * At(i, j);
                expected += weight * rows[i] * columns[j] / total;
            }
        }
        return expected == 0 ? 0 : 1 - (observed / expected);
    }

    private static double Ratio(double part, double whole) => whole == 0 ? 0 : part / whole;

    private double At(int actual, int predicted) => Counts[(actual * Classes) + predicted];

    private double Row(int actual) => Enumerable.Range(0, Classes).Sum(c => At(actual, c));

    private double Column(int predicted) => Enumerable.Range(0, Classes).Sum(c => At(c, predicted));
}
