using MedMerge.Statistics;

namespace MedMerge.Tests.Statistics;

/// <summary>Scores against cases worked out by hand.</summary>
public class ScoresTests
{
    /// <summary>Answers given as (label, probabilities).</summary>
    private static Predictions Answers(params (int Label, double[] Probabilities)[] rows) =>
        new(rows[0].Probabilities.Length, [.. rows.SelectMany(row => row.Probabilities)], [.. rows.Select(row => row.Label)]);

    private static Predictions Binary(params (int Label, double P1)[] rows) =>
        Answers([.. rows.Select(row => (row.Label, new[] { 1 - row.P1, row.P1 }))]);

    [Fact]
    public void Two_classes_by_hand()
    {
        // Predicted: 0 0 1 | 1 1 0 1, true: 0 0 0 | 1 1 1 1. Hits 2 of 3 and 3 of 4.
        var scores = Scores.Of(Binary((0, 0.1), (0, 0.4), (0, 0.6), (1, 0.9), (1, 0.8), (1, 0.3), (1, 0.7)));
        var (f0, f1) = (2.0 * 2 / (3 + 3), 2.0 * 3 / (4 + 4));
        Assert.Equal((f0 + f1) / 2, scores.MacroF1, 1e-12);
        Assert.Equal(5.0 / 7, scores.Accuracy, 1e-12);
        Assert.Equal(((2.0 / 3) + (3.0 / 4)) / 2, scores.BalancedAccuracy, 1e-12);
        // Of 12 pairs (class 1, class 0) these are in order: 0.9, 0.8 and 0.7 beat all three, 0.3 beats 0.1 only.
        Assert.Equal(10.0 / 12, scores.Auc, 1e-12);
        // Observed agreement 5/7; expected (3·3 + 4·4)/49.
        Assert.Equal(((5.0 / 7) - (25.0 / 49)) / (1 - (25.0 / 49)), scores.Kappa, 1e-12);
        Assert.Equal(scores.Kappa, scores.QuadraticKappa, 1e-12);
    }

    [Fact]
    public void Ties_count_half_in_the_AUC() =>
        Assert.Equal((1 + 1 + 0.5 + 0) / 4, new RocRanking(Binary((1, 0.8), (1, 0.5), (0, 0.5), (0, 0.6))).Auc(), 1e-12);

    [Fact]
    public void Three_classes_by_hand()
    {
        var scores = Scores.Of(Answers(
            (0, [0.7, 0.2, 0.1]), (0, [0.2, 0.5, 0.3]), (1, [0.1, 0.8, 0.1]), (2, [0.2, 0.2, 0.6]), (2, [0.6, 0.3, 0.1])));
        // Predicted 0 1 1 2 0. F1: class 0 2·1/(2+2), class 1 2·1/(1+2), class 2 2·1/(2+1).
        Assert.Equal((0.5 + (2.0 / 3) + (2.0 / 3)) / 3, scores.MacroF1, 1e-12);
        Assert.Equal(3.0 / 5, scores.Accuracy, 1e-12);
        // One against rest: class 0 ranks {0.7, 0.2} against {0.1, 0.2, 0.6}: 3 + 1.5 of 6. Class 1: {0.8} against 4: 4 of 4.
        // Class 2: {0.6, 0.1} against {0.1, 0.3, 0.1}: 3 + 1 of 6.
        Assert.Equal(((4.5 / 6) + 1 + (4.0 / 6)) / 3, scores.Auc, 1e-12);
        // Quadratic weights: observed 1 (0→1) + 4 (2→0) = 5;
        // expected Σ (i−j)² row·column / 5 = (1·2·2 + 4·2·1 + 1·1·2 + 1·1·1 + 4·2·2 + 1·2·2)/5.
        Assert.Equal(1 - (5 / (35.0 / 5)), scores.QuadraticKappa, 1e-12);
    }

    [Fact]
    public void A_class_that_is_never_predicted_scores_zero_and_still_counts()
    {
        var scores = Scores.Of(Binary((0, 0.1), (0, 0.2), (1, 0.3)));
        Assert.Equal(2.0 * 2 / (3 + 2) / 2, scores.MacroF1, 1e-12);
        Assert.Equal(0, scores.Classes[1].Precision);
    }

    /// <summary>As in scikit-learn, so that a perfect model scores 1 also where the test split lacks a class.</summary>
    [Fact]
    public void A_class_that_neither_occurs_nor_is_predicted_does_not_count()
    {
        Assert.Equal(1, Scores.Of(Answers((0, [0.7, 0.2, 0.1]), (1, [0.1, 0.8, 0.1]))).MacroF1, 1e-12);
        // Class 2 is predicted, wrongly.
        var wrong = Answers((0, [0.7, 0.2, 0.1]), (0, [0.1, 0.2, 0.7]), (1, [0.1, 0.2, 0.7]));
        Assert.Equal(((2.0 / 3) + 0 + 0) / 3, Scores.Of(wrong).MacroF1, 1e-12);
    }

    [Fact]
    public void Calibration_compares_confidence_with_the_share_of_right_answers()
    {
        // One bin at 0.9 (right, wrong), one at 0.6 (right): |1.8 − 1|/3 + |0.6 − 1|/3.
        Assert.Equal((0.8 + 0.4) / 3, Scores.Of(Binary((1, 0.9), (0, 0.9), (1, 0.6))).CalibrationError, 1e-12);
        Assert.Equal(0, Scores.Of(Binary((1, 1), (0, 0))).CalibrationError, 1e-12);
    }

    [Fact]
    public void Resampling_by_multiplicity_is_the_same_as_repeating_images()
    {
        var random = new MedMerge.Data.RandomStream(3);
        var rows = Enumerable.Range(0, 12).Select(i => (i % 2, Math.Round(random.NextDouble(), 1))).ToArray();
        int[] times = [0, 2, 1, 0, 3, 1, 1, 2, 0, 1, 1, 0];
        var repeated = Binary([.. rows.SelectMany((row, i) => Enumerable.Repeat(row, times[i]))]);
        Assert.Equal(new RocRanking(repeated).Auc(), new RocRanking(Binary(rows)).Auc(times), 1e-12);
        Assert.Equal(new ConfusionCounter(repeated).Count().MacroF1, new ConfusionCounter(Binary(rows)).Count(times).MacroF1, 1e-12);
    }

    [Fact]
    public async Task Answers_that_are_no_numbers_end_in_a_score_not_in_a_loop()
    {
        var answers = Binary([(0, double.NaN), (1, 0.3), (1, double.NaN)]);
        await Task.Run(() => new RocRanking(answers).Auc(), TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(1, 12.706)]
    [InlineData(2, 4.303)]
    [InlineData(4, 2.776)]
    [InlineData(9, 2.262)]
    [InlineData(30, 2.042)]
    [InlineData(1000, 1.962)]
    public void Students_t_is_the_tables(int degrees, double quantile) => Assert.Equal(quantile, StudentT.Quantile975(degrees), 0.0006);

    [Fact]
    public void The_interval_of_a_mean_by_hand()
    {
        var interval = Interval.OfMean([1, 2, 3]);
        Assert.Equal(2, interval.Estimate);
        Assert.Equal(2 - (4.30265 / Math.Sqrt(3)), interval.Low, 1e-4);
        Assert.True(double.IsNaN(Interval.OfMean([1]).Low));
    }
}
