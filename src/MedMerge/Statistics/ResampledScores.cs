namespace MedMerge.Statistics;

/// <summary>A model's scores on the test images, and on bootstrap resamples of these (Efron and Tibshirani 1993).</summary>
/// <param name="Scores">By <see cref="Metric"/>.</param>
/// <param name="Resamples">[metric][resample]; NaN where a resample has no such score, such as the AUC of one class.</param>
internal sealed record ResampledScores(IReadOnlyDictionary<Metric, double> Scores, IReadOnlyDictionary<Metric, double[]> Resamples)
{
    private static readonly IReadOnlyList<Metric> Metrics = Enum.GetValues<Metric>();

    /// <summary>Resamples the images: each resample draws the same images for all models, so that their scores can be compared.</summary>
    /// <param name="models">Predictions of the models on the same images.</param>
    /// <param name="resamples">How often.</param>
    /// <param name="createDraw">Creates, for each resample, a function that draws 0 … n − 1.</param>
    public static IReadOnlyList<ResampledScores> Of(
        IReadOnlyList<Predictions> models,
        int resamples,
        Func<int, Func<int, int>> createDraw,
        CancellationToken cancellation)
    {
        if (models.Count == 0) return [];
        var images = models[0].Count;
        if (models.Any(model => model.Count != images))
            throw new ArgumentException("All models must answer for the same images.", nameof(models));
        var scorers = models.Select(model => new Scorer(model)).ToArray();
        var scores = models.Select(_ => Metrics.ToDictionary(metric => metric, _ => new double[resamples])).ToArray();
        var options = new ParallelOptions
        {
            CancellationToken = cancellation,
            MaxDegreeOfParallelism = Environment.ProcessorCount, // else a busy pool adds a thread for it twice a second
        };
        Parallel.For(0, resamples, options, resample =>
        {
            var draw = createDraw(resample);
            var multiplicity = new int[images];
            for (var i = 0; i < images; i++) multiplicity[draw(images)]++;
            for (var m = 0; m < scorers.Length; m++)
            {
                foreach (var (metric, score) in scorers[m].Score(multiplicity)) scores[m][metric][resample] = score;
            }
        });
        return [.. scorers.Zip(scores, (scorer, samples) => new ResampledScores(scorer.Score([]).ToDictionary(), samples))];
    }

    /// <summary>Predictions with all that is the same for every resample.</summary>
    private sealed class Scorer(Predictions predictions)
    {
        private readonly RocRanking _ranking = new(predictions);
        private readonly ConfusionCounter _counter = new(predictions);

        /// <param name="multiplicity">How often each image counts; once each where empty.</param>
        public IEnumerable<KeyValuePair<Metric, double>> Score(int[] multiplicity)
        {
            var confusion = _counter.Count(multiplicity);
            return
            [
                new(Metric.MacroF1, confusion.MacroF1),
                new(Metric.BalancedAccuracy, confusion.BalancedAccuracy),
                new(Metric.Accuracy, confusion.Accuracy),
                new(Metric.Auc, _ranking.Auc(multiplicity)),
                new(Metric.QuadraticKappa, confusion.Kappa(quadratic: true)),
            ];
        }
    }
}
