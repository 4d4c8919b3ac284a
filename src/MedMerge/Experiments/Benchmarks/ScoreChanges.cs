using MedMerge.Experiments.Results;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Benchmarks;

/// <summary>How scores differ between two runs, paired by seed and test image.</summary>
internal static class ScoreChanges
{
    private const int Resamples = 2000;

    /// <summary>The rows of two runs whose predictions are not the same bytes, and their seeds that both have.</summary>
    public static IEnumerable<PairedRow> FindPairs(BenchmarkRun before, BenchmarkRun after) =>
        from scenario in after.Scenarios
        from old in before.Scenarios
        where (scenario.Name, scenario.Metric) == (old.Name, old.Metric)
        from row in scenario.Rows
        from oldRow in old.Rows
        where row.Method == oldRow.Method
        let trials = oldRow.Trials.Join(row.Trials, trial => trial.Seed, trial => trial.Seed, (one, other) => (one, other)).ToList()
        where trials.Any(pair => pair.one.Predictions != pair.other.Predictions)
        select new PairedRow(scenario.Name, row.Method, scenario.Metric, trials);

    /// <summary>Compares a row; the p-value is not adjusted yet.</summary>
    /// <param name="before">Predictions on the test split, one entry a pair of the row.</param>
    /// <param name="after">Likewise.</param>
    /// <param name="resamples">How often the test images are resampled.</param>
    public static ScoreChange Compare(
        PairedRow row,
        IReadOnlyList<Predictions> before,
        IReadOnlyList<Predictions> after,
        CancellationToken cancellation,
        int resamples = Resamples)
    {
        var unpaired = new ScoreChange(row.Scenario, row.Method, row.Metric, row.Trials.Count, Difference: null, PValue: 1);
        var labels = before[0].Labels;
        if (before.Concat(after).Any(predictions => !predictions.Labels.AsSpan().SequenceEqual(labels))) return unpaired;
        var scores = ResampledScores.Of([.. before, .. after], resamples, PairedTrials.CreateDraw, cancellation);
        var difference = PairedDifference.Of(SeedDifferences.Between(
            [.. row.Trials.Select(pair => pair.After.Seed)],
            [.. scores.Skip(before.Count)],
            [.. scores.Take(before.Count)],
            row.Metric,
            labels.Length));
        return unpaired with { Difference = difference.Interval, PValue = double.IsNaN(difference.PValue) ? 1 : difference.PValue };
    }

    /// <summary>Adjusts the p-values of all rows for each other.</summary>
    public static IReadOnlyList<ScoreChange> Adjust(IReadOnlyList<ScoreChange> rows)
    {
        var paired = rows.Where(row => row.Difference is not null).ToList();
        var adjusted = HolmAdjustment.Adjust([.. paired.Select(row => row.PValue)]);
        return
        [
            .. paired.Zip(adjusted, (row, p) => row with { PValue = p }),
            .. rows.Where(row => row.Difference is null),
        ];
    }
}

/// <summary>A row of two runs.</summary>
/// <param name="Trials">Of the seeds that both have.</param>
internal sealed record PairedRow(
    string Scenario,
    string Method,
    Metric Metric,
    IReadOnlyList<(BenchmarkTrial Before, BenchmarkTrial After)> Trials);
