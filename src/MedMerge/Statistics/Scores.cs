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

    /// <summary>Images by (true class, predicted class); null where an image may have several labels.</summary>
    public ConfusionMatrix? Confusion { get; private init; }

    /// <summary>How often answers of some confidence are right, for each bin that has any, by confidence.</summary>
    public IReadOnlyList<CalibrationBin> Calibration { get; private init; } = [];

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
        var calibration = Calibrate(predictions);
        return new Scores(
            confusion.MacroF1,
            confusion.Accuracy,
            confusion.BalancedAccuracy,
            ranking.Auc(),
            confusion.Kappa(quadratic: false),
            confusion.Kappa(quadratic: true),
            calibration.Sum(bin => Math.Abs(bin.Confidence - bin.Right)) / calibration.Sum(bin => bin.Answers),
            [.. confusion.PerClass().Select(AddRanking)])
        {
            Confusion = confusion as ConfusionMatrix,
            Calibration = calibration,
        };

        ClassScore AddRanking(ClassScore score) => score with
        {
            Auc = ranking.Auc(score.Class) is var auc && double.IsNaN(auc) ? null : auc,
            Threshold = predictions.Thresholds?[score.Class],
        };
    }

    private static List<CalibrationBin> Calibrate(Predictions predictions) =>
    [
        // Bins are (0, 1/15], (1/15, 2/15], …
        .. GetAnswers(predictions)
            .GroupBy(answer => Math.Clamp((int)Math.Ceiling(answer.Probability * CalibrationBins) - 1, 0, CalibrationBins - 1))
            .OrderBy(bin => bin.Key)
            .Select(bin => new CalibrationBin(
                bin.Key,
                bin.Count(),
                bin.Sum(answer => answer.Probability),
                bin.Count(answer => answer.IsRight))),
    ];

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

/// <summary>Answers of about the same confidence.</summary>
/// <param name="Number">From 0 for the lowest.</param>
/// <param name="Confidence">The sum of their probabilities.</param>
/// <param name="Right">How many of them are right.</param>
internal sealed record CalibrationBin(int Number, int Answers, double Confidence, int Right)
{
    /// <summary>The answers of several models together, bin by bin.</summary>
    public static IReadOnlyList<CalibrationBin> Sum(IEnumerable<CalibrationBin> bins) =>
    [
        .. bins
            .GroupBy(bin => bin.Number)
            .OrderBy(bin => bin.Key)
            .Select(bin => new CalibrationBin(bin.Key, bin.Sum(b => b.Answers), bin.Sum(b => b.Confidence), bin.Sum(b => b.Right))),
    ];
}
