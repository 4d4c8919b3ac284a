using MedMerge.Data;
using MedMerge.Experiments.Benchmarks;
using MedMerge.Statistics;
using static MedMerge.Tests.Experiments.Benchmarks.BenchmarkRuns;

namespace MedMerge.Tests.Experiments.Benchmarks;

/// <summary>When a score counts as lower.</summary>
public sealed class ScoreChangesTests
{
    private const int Images = 100;
    private const int Seeds = 5;
    private const int Resamples = 200;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>
    /// Two runs of twelve rows that are equal but for chance of seeds and images: at most one run in twenty may be flagged, give or take
    /// two standard errors. Without Holm's correction it would be one in four (two-sided 5 % each, half of it below zero).
    /// </summary>
    [Fact]
    public void Of_runs_that_differ_by_chance_alone_at_most_one_in_twenty_is_flagged()
    {
        const int repetitions = 200, rows = 12;
        var flagged = Enumerable.Range(0, repetitions).AsParallel().Count(repetition =>
        {
            var random = new RandomStream(7, (ulong)repetition);
            var difficulty = Enumerable.Range(0, Images).Select(_ => random.NextNormal()).ToArray();
            var changes = Enumerable.Range(0, rows).Select(_ => Compare(random, difficulty, 0.8, 0.8)).ToList();
            return ScoreChanges.Adjust(changes).Any(change => change.IsWorse);
        });
        Assert.InRange(flagged / (double)repetitions, 0, 0.05 + (2 * Math.Sqrt(0.05 * 0.95 / repetitions)));
    }

    [Fact]
    public void A_real_loss_among_rows_that_did_not_change_is_seen_and_a_gain_is_no_regression()
    {
        var random = new RandomStream(3);
        var difficulty = Enumerable.Range(0, Images).Select(_ => random.NextNormal()).ToArray();
        var changes = Enumerable.Range(0, 11).Select(_ => Compare(random, difficulty, 0.8, 0.8)).ToList();
        changes.Add(Compare(random, difficulty, 2, -1) with { Method = "worse" });
        changes.Add(Compare(random, difficulty, -1, 2) with { Method = "better" });

        var worse = Assert.Single(ScoreChanges.Adjust(changes), change => change.IsWorse);

        Assert.Equal("worse", worse.Method);
        Assert.True(worse.Difference!.IsBelowZero);
    }

    [Fact]
    public void Other_test_images_can_t_be_paired()
    {
        var other = Answer(Images + 2, _ => 1);
        var change = ScoreChanges.Compare(Row, [Answer(Images, _ => 1)], [other], Cancellation, Resamples);
        Assert.Null(change.Difference);
        Assert.False(ScoreChanges.Adjust([change]).Single().IsWorse);
    }

    [Fact]
    public void Rows_are_paired_by_scenario_method_and_seed_where_the_bytes_differ()
    {
        var before = Create("a", predictions: ["p", "q"]);
        var after = Create("b", predictions: ["p", "r", "s"]);

        var row = Assert.Single(ScoreChanges.FindPairs(before, after));

        Assert.Equal([("p", "p"), ("q", "r")], row.Trials.Select(pair => (pair.Before.Predictions, pair.After.Predictions)));
        Assert.Empty(ScoreChanges.FindPairs(before, before with { Id = "c" }));
        Assert.Empty(ScoreChanges.FindPairs(before, after.With(scenario => scenario with { Name = "other" })));
        Assert.Empty(ScoreChanges.FindPairs(before, after.With(scenario => scenario with { Metric = Metric.Auc })));
    }

    private static PairedRow Row
    {
        get
        {
            var trials = Enumerable.Range(0, Seeds).Select(seed => new BenchmarkTrial((ulong)seed, "", 0));
            return new("breast", "medmerge", Metric.Accuracy, [.. trials.Select(trial => (trial, trial))]);
        }
    }

    private static ScoreChange Compare(RandomStream random, double[] difficulty, double before, double after) => ScoreChanges.Compare(
        Row,
        Train(random, difficulty, Seeds, before, ofSeed: 0.3),
        Train(random, difficulty, Seeds, after, ofSeed: 0.3),
        Cancellation,
        Resamples);
}
