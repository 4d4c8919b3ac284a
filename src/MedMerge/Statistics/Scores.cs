namespace MedMerge.Statistics;

/// <summary>How good predictions are; every score is 0 to 1 but κ, which is −1 to 1.</summary>
/// <remarks>
/// Where an image may have several labels, means are over labels, and right answers are counted over all labels of all images.
/// </remarks>
/// <param name="MacroF1">The mean F1 of the classes that occur or are predicted.</param>
/// <param name="Accuracy">Share of right answers.</param>
/// <param name="BalancedAccuracy">The mean recall over the classes that occur.</param>
/// <param name="Auc">Area under the ROC curve; for more than two classes the mean of one-against-rest over the classes that occur.</param>
/// <param name="Kappa">Cohen's κ; unweighted.</param>
/// <param name="QuadraticKappa">Cohen's κ with quadratic weights, for graded classes.</param>
/// <param name="CalibrationError">Expected calibration error over 15 equal bins of confidence (Guo et al. 2017).</param>
/// <param name="Classes">Class by class.</param>
internal sealed record Scores(
    double MacroF1,
    double Accuracy,
    double BalancedAccuracy,
    double Auc,
    double Kappa,
    double QuadraticKappa,
    double CalibrationError,
    IReadOnlyList<ClassScore> Classes)
{
    private const int CalibrationBins = 15;

    /// <summary>The score of a metric.</summary>
    public double Get(Metric metric) => metric switch
    {
        Metric.MacroF1 => MacroF1,
        Metric.BalancedAccuracy => BalancedAccuracy,
        Metric.Accuracy => Accuracy,
        Metric.Auc => Auc,
        Metric.QuadraticKappa => QuadraticKappa,
        _ => throw new ArgumentOutOfRangeException(nameof(metric)),
    };

    /// <summary>All scores of <paramref name="predictions"/>.</summary>
    public static Scores Of(Predictions predictions)
    {
        var confusion = new ConfusionCounter(predictions).Count();
        var ranking = new RocRanking(predictions);
        return new Scores(
            confusion.MacroF1,
            confusion.Accuracy,
            confusion.BalancedAccuracy,
            ranking.Auc(),
            confusion.Kappa(quadratic: false),
            confusion.Kappa(quadratic: true),
            CalibrationErrorOf(predictions),
            [.. confusion.PerClass().Select(AddRanking)]);

        ClassScore AddRanking(ClassScore score) => score with
        {
            Auc = ranking.Auc(score.Class) is var auc && double.IsNaN(auc) ? null : auc,
            Threshold = predictions.Thresholds?[score.Class],
        };
    }

    private static double CalibrationErrorOf(Predictions predictions)
    {
        var confidence = new double[CalibrationBins];
        var right = new double[CalibrationBins];
        var answers = 0;
        foreach (var (probability, isRight) in GetAnswers(predictions))
        {
            // Bins are (0, 1/15], (1/15, 2/15], …
            var bin = Math.Clamp((int)Math.Ceiling(probability * CalibrationBins) - 1, 0, CalibrationBins - 1);
            confidence[bin] += probability;
            right[bin] += isRight ? 1 : 0;
            answers++;
        }
        return confidence.Zip(right, (c, r) => Math.Abs(c - r)).Sum() / answers;
    }

    /// <summary>How probable each image's most probable class is, and whether it is that; with several labels each of them.</summary>
    private static IEnumerable<(double Probability, bool IsRight)> GetAnswers(Predictions predictions)
    {
        for (var i = 0; i < predictions.Count; i++)
        {
            if (!predictions.IsMultiLabel)
            {
                var predicted = predictions.Predicted(i);
                yield return (predictions.Row(i)[predicted], predictions.Has(i, predicted));
                continue;
            }
            for (var label = 0; label < predictions.Classes; label++)
                yield return (predictions.Row(i)[label], predictions.Has(i, label));
        }
    }
}
