using MedMerge.Data;
using MedMerge.Experiments.Methods;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>A scenario's trials with their scores on the same resamples of the test images.</summary>
/// <param name="images">Number of test images.</param>
internal sealed class PairedTrials(IReadOnlyDictionary<(MethodRow Row, ulong Seed), ResampledScores> scores, int images)
{
    /// <summary>Resamples the test images for all trials.</summary>
    public static PairedTrials Resample(IReadOnlyList<TrialResult> trials, int resamples, CancellationToken cancellation)
    {
        var models = trials.Select(trial => trial.Predictions!.Test).ToList();
        var resampled = ResampledScores.Of(models, resamples, CreateDraw, cancellation);
        var byTrial = trials
            .Zip(resampled, (trial, scores) => (Key: (trial.Trial.Row, trial.Trial.Seed), scores))
            .ToDictionary(pair => pair.Key, pair => pair.scores);
        return new PairedTrials(byTrial, models.Count == 0 ? 0 : models[0].Count);
    }

    /// <summary>Draws the images of a resample: the same for all models, whoever compares them.</summary>
    internal static Func<int, int> CreateDraw(int resample) => new RandomStream(0, StreamKeys.Bootstrap, (ulong)resample).Below;

    /// <summary>First minus second over the seeds that both have; null if there is none, because trials may fail.</summary>
    public SeedDifferences? Compare(MethodRow first, MethodRow second, Metric metric)
    {
        var seeds = scores.Keys
            .Where(key => key.Row == first && scores.ContainsKey((second, key.Seed)))
            .Select(key => key.Seed)
            .Order()
            .ToList();
        if (seeds.Count == 0) return null;
        return SeedDifferences.Between(
            seeds,
            [.. seeds.Select(seed => scores[(first, seed)])],
            [.. seeds.Select(seed => scores[(second, seed)])],
            metric,
            images);
    }
}
