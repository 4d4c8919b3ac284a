namespace MedMerge.Statistics;

/// <summary>
/// The difference between two methods that ran with the same seeds on the same test images. Both sources of chance are resampled: seeds
/// and images, the same draw for both methods (percentile bootstrap, Efron and Tibshirani 1993, chapter 13).
/// </summary>
internal static class PairedBootstrap
{
    /// <summary>Differences of macro F1, accuracy and AUC, first minus second.</summary>
    public sealed record Differences(Interval MacroF1, Interval Accuracy, Interval Auc);

    /// <summary>Resamples <paramref name="replicates"/> times.</summary>
    /// <param name="first">One entry a seed.</param>
    /// <param name="second">The other method, same seeds in the same order, same test images.</param>
    /// <param name="draw">Gives 0 … n − 1; the caller's seeded stream.</param>
    public static Differences Compare(
        IReadOnlyList<Predictions> first,
        IReadOnlyList<Predictions> second,
        Func<int, int> draw,
        int replicates = 2000,
        CancellationToken cancellation = default)
    {
        if (first.Count != second.Count || first.Count == 0)
            throw new ArgumentException("Both methods need the same seeds.", nameof(second));
        var a = first.Select(predictions => new Resampled(predictions)).ToArray();
        var b = second.Select(predictions => new Resampled(predictions)).ToArray();
        var (seeds, images) = (first.Count, first[0].Count);

        var estimate = new double[3];
        for (var s = 0; s < seeds; s++) AddDifference(a[s], b[s], default, estimate, seeds);

        var samples = new double[3][];
        for (var m = 0; m < 3; m++) samples[m] = new double[replicates];
        var multiplicity = new int[images];
        for (var r = 0; r < replicates; r++)
        {
            cancellation.ThrowIfCancellationRequested();
            Array.Clear(multiplicity);
            for (var i = 0; i < images; i++) multiplicity[draw(images)]++;
            var difference = new double[3];
            for (var s = 0; s < seeds; s++)
            {
                var seed = draw(seeds);
                AddDifference(a[seed], b[seed], multiplicity, difference, seeds);
            }
            for (var m = 0; m < 3; m++) samples[m][r] = difference[m];
        }
        Interval Bounds(int m) => new(estimate[m], Percentile(samples[m], 0.025), Percentile(samples[m], 0.975));
        return new Differences(MacroF1: Bounds(0), Accuracy: Bounds(1), Auc: Bounds(2));
    }

    private static void AddDifference(Resampled a, Resampled b, ReadOnlySpan<int> multiplicity, double[] sums, int seeds)
    {
        var (first, second) = (a.Scores(multiplicity), b.Scores(multiplicity));
        sums[0] += (first.F1 - second.F1) / seeds;
        sums[1] += (first.Accuracy - second.Accuracy) / seeds;
        sums[2] += (first.Auc - second.Auc) / seeds;
    }

    /// <summary>Linear between order statistics; a replicate that drew one class only has no AUC and is left out.</summary>
    private static double Percentile(double[] values, double p)
    {
        var sorted = values.Where(value => !double.IsNaN(value)).Order().ToArray();
        if (sorted.Length == 0) return double.NaN;
        var position = p * (sorted.Length - 1);
        var below = (int)position;
        if (below + 1 == sorted.Length) return sorted[below];
        return sorted[below] + ((position - below) * (sorted[below + 1] - sorted[below]));
    }

    private sealed class Resampled(Predictions predictions)
    {
        private readonly RocRanking _ranking = new(predictions);

        public (double F1, double Accuracy, double Auc) Scores(ReadOnlySpan<int> multiplicity)
        {
            var confusion = ConfusionMatrix.Of(predictions, multiplicity);
            return (confusion.MacroF1, confusion.Accuracy, _ranking.Auc(multiplicity));
        }
    }
}
