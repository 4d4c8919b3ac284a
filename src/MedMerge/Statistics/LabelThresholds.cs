namespace MedMerge.Statistics;

/// <summary>From which probability on a model is taken to say that an image has a label, for each of several labels.</summary>
internal static class LabelThresholds
{
    /// <summary>
    /// Sets the threshold of each label to the one with the best F1 on these images, in the middle between two probabilities; of equally
    /// good ones the one nearest to a half. A label that no image has keeps a half. Where each image has one class nothing changes.
    /// </summary>
    public static Predictions Fit(Predictions predictions)
    {
        if (!predictions.IsMultiLabel) return predictions;
        return predictions with
        {
            Thresholds = [.. Enumerable.Range(0, predictions.Classes).Select(label => Fit(predictions, label))],
        };
    }

    private static double Fit(Predictions predictions, int label)
    {
        var images = Enumerable.Range(0, predictions.Count)
            .Select(i => (Probability: predictions.Row(i)[label], Has: predictions.Has(i, label)))
            .OrderByDescending(image => image.Probability)
            .ToList();
        var all = images.Count(image => image.Has);
        if (all == 0) return Predictions.EvenThreshold;
        var (best, bestScore, hits) = (Predictions.EvenThreshold, -1.0, 0);
        for (var i = 0; i < images.Count; i++)
        {
            if (images[i].Has) hits++;
            var next = i + 1 < images.Count ? images[i + 1].Probability : 0;
            if (next == images[i].Probability) continue; // equal ones are on one side
            var threshold = (images[i].Probability + next) / 2;
            var score = 2.0 * hits / (all + i + 1);
            var isBetter = score > bestScore || (score == bestScore && GetDistance(threshold) < GetDistance(best));
            if (isBetter) (best, bestScore) = (threshold, score);
        }
        return best;

        static double GetDistance(double threshold) => Math.Abs(threshold - Predictions.EvenThreshold);
    }
}
