using MedMerge.Data;
using MedMerge.Statistics;

namespace MedMerge.Tests.Statistics;

/// <summary>Scores where an image may have several labels, against scikit-learn's definitions written out.</summary>
public class MultiLabelScoresTests
{
    private static readonly Predictions Some = Create(images: 60, labels: 4, seed: 3);

    [Fact]
    public void Scores_are_means_over_labels()
    {
        var scores = Scores.Of(Some);
        var labels = Enumerable.Range(0, 4).Select(label => Count(Some, label)).ToList();

        Assert.Equal(labels.Average(c => 2.0 * c.Hits / ((2 * c.Hits) + c.False + c.Missed)), scores.MacroF1, 1e-12);
        Assert.Equal(labels.Average(c => (c.Hits + c.Rejected) / 60.0), scores.Accuracy, 1e-12);
        Assert.Equal(
            labels.Average(c => ((c.Hits / (double)(c.Hits + c.Missed)) + (c.Rejected / (double)(c.Rejected + c.False))) / 2),
            scores.BalancedAccuracy,
            1e-12);
        Assert.Equal(Enumerable.Range(0, 4).Average(label => Auc(Some, label)), scores.Auc, 1e-12);
        Assert.Equal(labels.Select(c => c.Hits + c.Missed), scores.Classes.Select(score => score.Images));
        Assert.Equal(labels[2].Hits / (double)(labels[2].Hits + labels[2].Missed), scores.Classes[2].Recall, 1e-12);
        Assert.Equal(Enumerable.Range(0, 4), scores.Classes.Select(score => score.Class));
        Assert.Equal(Enumerable.Range(0, 4).Select(label => Auc(Some, label)), scores.Classes.Select(score => score.Auc!.Value), Near);
    }

    /// <summary>A label is a question of two answers, so with one label only all is as with two classes.</summary>
    [Fact]
    public void One_label_scores_as_two_classes()
    {
        var one = Create(images: 40, labels: 1, seed: 5);
        double[] both = [.. one.Probabilities.SelectMany(probability => new[] { 1 - probability, probability })];
        var two = Scores.Of(new Predictions(2, both, one.Labels));
        var scores = Scores.Of(one);
        Assert.Equal(
            (two.Accuracy, two.BalancedAccuracy, two.Auc, two.Kappa, two.QuadraticKappa),
            (scores.Accuracy, scores.BalancedAccuracy, scores.Auc, scores.Kappa, scores.QuadraticKappa));
        Assert.Equal(two.Classes[1].F1, scores.MacroF1);
    }

    [Fact]
    public void Resampling_by_multiplicity_is_the_same_as_repeating_images()
    {
        int[] times = [.. Enumerable.Range(0, Some.Count).Select(i => i % 3)];
        int[] repeated = [.. times.SelectMany((count, i) => Enumerable.Repeat(i, count))];
        var longer = Some with
        {
            Probabilities = [.. repeated.SelectMany(i => Some.Row(i).ToArray())],
            Labels = [.. repeated.Select(i => Some.Labels[i])],
        };
        var (expected, actual) = (new ConfusionCounter(longer).Count(), new ConfusionCounter(Some).Count(times));
        Assert.Equal(expected.MacroF1, actual.MacroF1, 1e-12);
        Assert.Equal(expected.BalancedAccuracy, actual.BalancedAccuracy, 1e-12);
        Assert.Equal(new RocRanking(longer).Auc(), new RocRanking(Some).Auc(times), 1e-12);
    }

    /// <summary>Against every threshold that tells the images apart.</summary>
    [Fact]
    public void A_threshold_has_the_best_F1_of_all()
    {
        for (var seed = 0UL; seed < 20; seed++)
        {
            var predictions = Create(images: 25, labels: 3, seed);
            var fitted = Scores.Of(LabelThresholds.Fit(predictions));
            for (var label = 0; label < 3; label++)
            {
                var best = predictions.Probabilities.Append(0).Max(threshold =>
                {
                    var count = Count(predictions with { Thresholds = [threshold, threshold, threshold] }, label);
                    return count.Hits == 0 ? 0 : 2.0 * count.Hits / ((2 * count.Hits) + count.False + count.Missed);
                });
                Assert.Equal(best, fitted.Classes[label].F1, 1e-12);
            }
        }
    }

    [Fact]
    public void Classes_have_an_AUC_too()
    {
        var scores = Scores.Of(new Predictions(3, [0.5, 0.3, 0.2, 0.1, 0.6, 0.3, 0.4, 0.3, 0.3, 0.2, 0.2, 0.6], [0, 1, 1, 2]));
        Assert.Equal(scores.Auc, scores.Classes.Average(score => score.Auc!.Value), 1e-12);
        Assert.All(scores.Classes, score => Assert.Null(score.Threshold));
        var two = Scores.Of(new Predictions(2, [0.5, 0.5, 0.1, 0.9, 0.4, 0.6], [0, 1, 0]));
        Assert.Equal([two.Auc, two.Auc], two.Classes.Select(score => score.Auc!.Value));
    }

    [Fact]
    public void A_label_that_no_image_has_keeps_a_half_and_no_score()
    {
        var predictions = Some with { Labels = [.. Some.Labels.Select(set => set & 0b0111)] };
        var fitted = LabelThresholds.Fit(predictions);
        Assert.Equal(0.5, fitted.Thresholds![3]);
        var scores = Scores.Of(fitted);
        Assert.True(double.IsFinite(scores.Auc));
        Assert.Null(scores.Classes[3].Auc);
        Assert.Equal(fitted.Thresholds, scores.Classes.Select(score => score.Threshold!.Value));
    }

    private static bool Near(double a, double b) => Math.Abs(a - b) < 1e-12;

    private static (int Hits, int False, int Missed, int Rejected) Count(Predictions predictions, int label)
    {
        var (hits, wrong, missed, rejected) = (0, 0, 0, 0);
        for (var i = 0; i < predictions.Count; i++)
        {
            var has = ((predictions.Labels[i] >> label) & 1) == 1;
            var says = predictions.Row(i)[label] >= (predictions.Thresholds?[label] ?? 0.5);
            if (has && says) hits++;
            else if (says) wrong++;
            else if (has) missed++;
            else rejected++;
        }
        return (hits, wrong, missed, rejected);
    }

    private static double Auc(Predictions predictions, int label)
    {
        var images = Enumerable.Range(0, predictions.Count).Select(i => (P: predictions.Row(i)[label], Has: predictions.Has(i, label)));
        var (with, without) = (images.Where(image => image.Has).ToList(), images.Where(image => !image.Has).ToList());
        return with.Average(a => without.Average(b => a.P > b.P ? 1 : a.P == b.P ? 0.5 : 0));
    }

    private static Predictions Create(int images, int labels, ulong seed)
    {
        var random = new RandomStream(seed);
        int[] sets = [.. Enumerable.Range(0, images).Select(i => i < labels ? 1 << i : random.Below(1 << labels))];
        double[] probabilities =
        [
            .. sets.SelectMany(set => Enumerable.Range(0, labels)
                .Select(label => Math.Round(Math.Clamp((0.3 * ((set >> label) & 1)) + random.Between(0, 0.7), 0, 1), 2))),
        ];
        return new Predictions(labels, probabilities, sets) { IsMultiLabel = true };
    }
}
