using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Reporting;
using MedMerge.Statistics;

namespace MedMerge.Tests.Experiments;

/// <summary>Scenarios with scores made by hand.</summary>
public class SweepComparisonTests
{
    private const string Merge = "medmerge", Average = "average", Single = "fine-tune";

    [Fact]
    public void Ranks_are_means_over_scenarios_and_differences_count_each_target_once()
    {
        // Two scenarios of one target, one of another.
        var comparison = Compare(
            Scenario("x", merge: (0.80, [+0.06]), average: (0.74, [0.00]), single: 0.74),
            Scenario("x", merge: (0.76, [+0.02]), average: (0.70, [-0.04]), single: 0.74),
            Scenario("y", merge: (0.60, [-0.02]), average: (0.66, [+0.04]), single: 0.62));

        Assert.Equal((3, 2), (comparison.Scenarios, comparison.Targets));
        var merge = Get(comparison, Merge);
        Assert.Equal((1 + 1 + 3) / 3.0, merge.MeanRank, 1e-12);
        Assert.Equal((0.04 - 0.02) / 2, merge.Difference.Estimate, 1e-12);
        Assert.Equal((3, 2), (merge.Scenarios, merge.Targets));
        var average = Get(comparison, Average);
        Assert.Equal((2.5 + 3 + 1) / 3.0, average.MeanRank, 1e-12); // the first scenario has a tie
        Assert.Equal((-0.02 + 0.04) / 2, average.Difference.Estimate, 1e-12);
        Assert.Equal(new Interval(0, double.NaN, double.NaN), Get(comparison, Single).Difference); // always the best single source
    }

    [Fact]
    public void Several_targets_have_the_interval_over_targets()
    {
        var merge = Get(Compare(Scenario("x", 0.09, 0.11), Scenario("y", 0.19, 0.21)), Merge);

        Assert.Equal(Interval.OfMean([0.1, 0.2]).High, merge.Difference.High, 1e-12);
    }

    /// <summary>Seed by seed the mean of the two scenarios is 0.1 and 0.3.</summary>
    [Fact]
    public void One_target_has_the_interval_of_the_seeds_of_its_scenarios_mean_and_the_text_claims_no_more()
    {
        var comparison = Compare(Scenario("x", 0.1, 0.2), Scenario("x", 0.1, 0.4));

        var expected = Interval.OfMean([0.1, 0.3]);
        var difference = Get(comparison, Merge).Difference;
        Assert.Equal(expected.Estimate, difference.Estimate, 1e-12);
        Assert.Equal(expected.High, difference.High, 1e-12);
        var text = SweepTable.Render(comparison);
        Assert.Contains("covers its seeds and test images, and says nothing about", text, StringComparison.Ordinal);
        var oneSeed = Compare(Scenario("x", 0.1), Scenario("x", 0.1));
        var ofOneSeed = SweepTable.Render(oneSeed);
        Assert.Contains("covers its test images alone, and says nothing about", ofOneSeed, StringComparison.Ordinal);
    }

    [Fact]
    public void Verdicts_are_counted_together_by_holm_and_fewer_than_five_seeds_have_none()
    {
        double[] clear = [0.10, 0.101, 0.099, 0.1, 0.102];
        double[] close = [0.10, 0.04, 0.02, 0.12, 0.05]; // alone its interval is above zero
        double[] none = [0.1, -0.1, 0.05, -0.06, 0.01];
        var comparison = Compare(
            Scenario("x", clear),
            Scenario("x", [.. clear.Select(value => -value)]),
            Scenario("y", close),
            Scenario("y", none),
            Scenario("y", none),
            Scenario("z", clear[..4]));

        var merge = Get(comparison, Merge);
        Assert.Equal((5, 1, 1), (merge.Verdicts, merge.Helped, merge.Harmed));
        var third = merge.Comparisons[2];
        Assert.True(third.Difference.IsAboveZero && third.PValue < 0.05, $"{third}");
        Assert.Equal(3 * third.PValue, third.Adjusted!.Value, 1e-12); // third of five
        Assert.False(third.IsSignificant);
        Assert.Null(merge.Comparisons[5].Adjusted);
        Assert.Empty(Get(comparison, Single).Comparisons);
        Assert.Contains("(Holm)", SweepTable.Render(comparison), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_seeds_enough_for_any_verdict_none_is_counted()
    {
        var comparison = Compare(Scenario("x", 0.1, 0.11), Scenario("y", 0.2, 0.21));

        Assert.All(comparison.Methods, method => Assert.Equal(0, method.Verdicts));
        var text = SweepTable.Render(comparison);
        Assert.Contains("no scenario has a verdict, which takes 5 seeds", text, StringComparison.Ordinal);
        Assert.Matches(@"\| medmerge +\|.*\| +0 \| +– \| +– \|", text);
    }

    /// <summary>The scenario on target y is harder, and there is none like it with the other rate.</summary>
    [Fact]
    public void Values_of_a_varied_setting_are_compared_over_scenarios_that_are_otherwise_equal()
    {
        var comparison = Compare(
            WithRate(0.1, Scenario("x", (0.8, [+0.1]), (0.7, [0]), 0.7)),
            WithRate(0.1, Scenario("y", (0.2, [-0.3]), (0.7, [0]), 0.7)),
            WithRate(0.2, Scenario("x", (0.5, [-0.2]), (0.7, [0]), 0.7)),
            WithRate(0.1, Scenario("z", (0.6, [+0.3]), (0.7, [0]), 0.7)),
            WithRate(0.2, Scenario("z", (0.7, [+0.4]), (0.7, [0]), 0.7)));

        Assert.Equal(["0.1", "0.2"], comparison.Effects.Select(effect => effect.Value));
        Assert.All(comparison.Effects, effect => Assert.Equal("fineTune.learningRate", effect.Setting));
        Assert.All(comparison.Effects, effect => Assert.Equal((2, true), (effect.Scenarios, effect.IsMatched)));
        Assert.Equal(0.7, comparison.Effects[0].Score, 1e-12);
        Assert.Equal(0.2, comparison.Effects[0].Difference!.Value, 1e-12);
        Assert.Equal(0.6, comparison.Effects[1].Score, 1e-12);
        Assert.Equal(0.1, comparison.Effects[1].Difference!.Value, 1e-12);
        var text = SweepTable.Render(comparison);
        Assert.Contains("| fineTune.learningRate |   0.2 |", text, StringComparison.Ordinal);
        Assert.EndsWith("every value of the setting, all else being equal.\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_no_equal_scenarios_have_are_compared_over_all_and_the_text_says_so()
    {
        var comparison = Compare(
            WithRate(0.1, Scenario("x", (0.8, [+0.1]), (0.7, [0]), 0.7)),
            WithRate(0.1, Scenario("y", (0.6, [-0.1]), (0.7, [0]), 0.7)),
            WithRate(0.2, Scenario("z", (0.5, [-0.2]), (0.7, [0]), 0.7)));

        Assert.Equal([(2, false), (1, false)], comparison.Effects.Select(effect => (effect.Scenarios, effect.IsMatched)));
        Assert.Equal(0.7, comparison.Effects[0].Score, 1e-12);
        Assert.Equal(0.0, comparison.Effects[0].Difference!.Value, 1e-12);
        const string note = "means over all scenarios that have the value, which differ in more than the setting.\n";
        Assert.EndsWith("; of fineTune.learningRate, " + note, SweepTable.Render(comparison), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_single_source_there_are_the_settings_effects_and_a_hint()
    {
        var comparison = Compare(WithRate(0.1, Scenario("x", 0.1)), WithRate(0.2, Scenario("x", 0.1))) with { Methods = [] };

        var text = SweepTable.Render(comparison);

        Assert.StartsWith(
            "All 2 scenarios together\n\nNo scenario has a single source to compare with: " +
            "add a method such as restored, fine-tune or lp-ft.\n\n| setting",
            text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void One_scenario_has_nothing_to_be_compared_with() => Assert.Null(SweepComparison.Of([Scenario("x", 0.1)]));

    private static SweepComparison Compare(params ScenarioResult[] scenarios) => SweepComparison.Of(scenarios)!;

    private static ScenarioResult WithRate(double rate, ScenarioResult scenario) => scenario with
    {
        Scenario = scenario.Scenario with
        {
            Settings = scenario.Scenario.Settings with
            {
                FineTune = scenario.Scenario.Settings.FineTune with { LearningRate = rate },
            },
        },
    };

    private static MethodOverall Get(SweepComparison comparison, string method) =>
        comparison.Methods.Single(known => known.Method.Name == method);

    /// <param name="merge">The proposed method's differences to the single source, seed by seed.</param>
    private static ScenarioResult Scenario(string target, params double[] merge) => Scenario(target, (0.8, merge), (0.7, [0.0]), 0.7);

    /// <param name="merge">Score, and differences to the single source, seed by seed.</param>
    /// <param name="average">The same.</param>
    private static ScenarioResult Scenario(
        string target,
        (double Score, double[] Differences) merge,
        (double Score, double[] Differences) average,
        double single)
    {
        var (mergeRow, averageRow, singleRow) = (SmallResult.Row(Merge), SmallResult.Row(Average), SmallResult.Row(Single, "a"));
        var scenario = SmallResult.Scenario;
        PlannedTrial[] trials =
            [SmallResult.Trial(1, Merge), SmallResult.Trial(2, Average), SmallResult.Trial(3, Single, "a")];
        return new ScenarioResult(
            scenario with { Name = target, Target = scenario.Target with { Sha256 = target } },
            [.. trials.Select(trial => SmallResult.Result(trial, right: 2))],
            SmallResult.Rivals(singleRow),
            [
                SmallResult.Summary(mergeRow, merge.Score, merge.Differences),
                SmallResult.Summary(averageRow, average.Score, average.Differences),
                SmallResult.Summary(singleRow, single),
            ],
            Comparisons: []);
    }
}
