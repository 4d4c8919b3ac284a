using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Statistics;

namespace MedMerge.Tests.Experiments;

public class ScenarioResultTests
{
    private static readonly int[] Labels = [0, 0, 1, 1];

    /// <summary>All right at the threshold of one half, but the classes overlap in rank.</summary>
    private static readonly double[] Weak = [0.7, 0.2, 0.6, 0.3];

    private static readonly double[] Perfect = [0.1, 0.2, 0.8, 0.9];

    /// <summary>Ranks perfectly, but calls every image class 1.</summary>
    private static readonly double[] RanksOnly = [0.6, 0.7, 0.8, 0.9];

    /// <summary>Three of four right, one image of class 1 ranked last.</summary>
    private static readonly double[] ThreeRight = [0.3, 0.2, 0.1, 0.9];

    [Fact]
    public void The_rival_is_chosen_for_each_metric_on_the_validation_split_whatever_the_test_says()
    {
        var ranks = Trial(1, "fine-tune", "a", validation: RanksOnly, test: Weak);
        var decides = Trial(2, "fine-tune", "b", validation: ThreeRight, test: Weak);
        var best = Trial(3, "lp-ft", "a", validation: Weak, test: Perfect);

        var result = Compare(ranks, decides, best);

        Assert.Equal("fine-tune a", result.Rivals[Metric.Auc].Title);
        Assert.Equal("fine-tune b", result.Rivals[Metric.MacroF1].Title);
        Assert.Equal("fine-tune b", result.Rival!.Title);
    }

    [Fact]
    public void A_pair_is_compared_over_the_seeds_that_both_have_and_every_row_says_how_many_it_has()
    {
        var result = Compare(
            Trial(1, "medmerge", null, Perfect, Perfect, seed: 0),
            Trial(2, "medmerge", null, Perfect, Perfect, seed: 1),
            Trial(3, "fine-tune", "a", Weak, Perfect, seed: 1),
            Trial(4, "fine-tune", "a", Weak, Weak, seed: 2));

        Assert.Equal([2, 2], result.Summaries.Select(summary => summary.Seeds));
        Assert.Equal(1, result.ToRival!.Seeds);
        Assert.Equal(0, result.ToRival.Difference.Estimate);
    }

    /// <summary>Predictions are most of what a result would hold; the comparison over scenarios needs the differences alone.</summary>
    [Fact]
    public void A_compared_scenario_keeps_differences_to_the_rival_and_no_predictions()
    {
        var result = Compare(
            Trial(1, "medmerge", null, Perfect, Perfect, seed: 0),
            Trial(2, "medmerge", null, Perfect, ThreeRight, seed: 1),
            Trial(3, "fine-tune", "a", Weak, Weak, seed: 0),
            Trial(4, "fine-tune", "a", Weak, ThreeRight, seed: 1));

        Assert.All(result.Trials, trial => Assert.Null(trial.Predictions));
        var summary = result.Summaries[0];
        Assert.Equal(summary.Differences[result.Metric], summary.ToRival!.Difference);
        Assert.Equal([0UL, 1UL], summary.ToRival.Seeds.Seeds);
        Assert.All(summary.ToRival.Seeds.Resamples, seed => Assert.Equal(500, seed.Length));
        Assert.Equal(summary.ToRival.Difference.Low > 0 || summary.ToRival.Difference.High < 0, summary.ToRival.PValue < 0.05);
        Assert.Null(result.Summaries[1].ToRival);
    }

    [Fact]
    public void Methods_with_no_seed_in_common_are_not_compared()
    {
        var result = Compare(
            Trial(1, "medmerge", null, Perfect, Perfect, seed: 0),
            Trial(2, "fine-tune", "a", Weak, Perfect, seed: 1));

        Assert.Null(result.ToRival);
        Assert.Contains("nothing to compare merging with", Verdict.Of(result), StringComparison.Ordinal);
    }

    /// <summary>The one that has no result may be the best.</summary>
    [Fact]
    public void There_is_no_best_single_source_while_one_has_no_result()
    {
        TrialResult[] trials = [Trial(1, "medmerge", null, Perfect, Perfect), Trial(2, "fine-tune", "a", Weak, Weak)];
        MissingTrial[] missing =
        [
            new(SmallResult.Trial(3, "fine-tune", "b"), MissingState.Failed),
            new(SmallResult.Trial(4, "lp-ft", "a"), MissingState.NotFinished),
            new(SmallResult.Trial(5, "fine-tune", "a", seed: 1), MissingState.NotFinished),
        ];

        var result = ScenarioResult.Compare(SmallResult.Scenario, trials, missing, TestContext.Current.CancellationToken);

        Assert.Empty(result.Rivals);
        Assert.Null(result.ToRival);
        Assert.Empty(result.Summaries.SelectMany(summary => summary.Differences));
        const string expected = "No verdict on merging: the best single source is not known without results of " +
                                "fine-tune b (failed), lp-ft a, fine-tune a.";
        Assert.Equal(expected, Verdict.Of(result));
        Assert.Equal("fine-tune a", Compare(trials).Rival!.Title);
    }

    [Theory]
    [InlineData(MissingState.Failed, "No verdict on merging: of medmerge, 2 of 2 trials failed.")]
    [InlineData(MissingState.NotFinished, "No verdict on merging: of medmerge, 2 of 2 trials have no result.")]
    public void Merges_that_failed_are_called_failed_and_not_left_out(object state, string expected)
    {
        MissingTrial[] missing =
        [
            new(SmallResult.Trial(2, "medmerge", seed: 0), (MissingState)state),
            new(SmallResult.Trial(3, "medmerge", seed: 1), (MissingState)state),
        ];
        var result = ScenarioResult.Compare(
            SmallResult.Scenario,
            [Trial(1, "fine-tune", "a", Weak, Weak)],
            missing,
            TestContext.Current.CancellationToken);

        Assert.Equal(expected, Verdict.Of(result));
    }

    private static ScenarioResult Compare(params TrialResult[] trials) =>
        ScenarioResult.Compare(SmallResult.Scenario, trials, missing: [], TestContext.Current.CancellationToken);

    /// <param name="validation">Probabilities of class 1.</param>
    /// <param name="test">Likewise.</param>
    private static TrialResult Trial(int number, string method, string? source, double[] validation, double[] test, ulong seed = 0) => new(
        SmallResult.Trial(number, method, source, seed),
        new HeldOutPredictions(Answer(validation), Answer(test)),
        Certificate: null,
        LearningRate: null);

    private static Predictions Answer(double[] probabilities) =>
        new(Classes: 2, [.. probabilities.SelectMany(probability => new[] { 1 - probability, probability })], Labels);
}
