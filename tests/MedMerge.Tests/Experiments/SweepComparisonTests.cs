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
            Scenario("x", merge: (0.80, +0.06, 0.01), average: (0.74, 0.00, 0.02), single: 0.74),
            Scenario("x", merge: (0.76, +0.02, 0.03), average: (0.70, -0.04, 0.01), single: 0.74),
            Scenario("y", merge: (0.60, -0.02, 0.01), average: (0.66, +0.04, 0.01), single: 0.62));

        Assert.Equal((3, 2), (comparison.Scenarios, comparison.Targets));
        var merge = comparison.Methods.Single(method => method.Method.Name == Merge);
        Assert.Equal((1 + 1 + 3) / 3.0, merge.MeanRank, 1e-12);
        Assert.Equal((0.04 - 0.02) / 2, merge.Difference.Estimate, 1e-12);
        Assert.Equal((1, 1), (merge.Helped, merge.Harmed));
        var average = comparison.Methods.Single(method => method.Method.Name == Average);
        Assert.Equal((2.5 + 3 + 1) / 3.0, average.MeanRank, 1e-12); // the first scenario has a tie
        Assert.Equal((-0.02 + 0.04) / 2, average.Difference.Estimate, 1e-12);
        var single = comparison.Methods.Single(method => method.Method.Name == Single);
        Assert.Equal(0, single.Difference.Estimate);
    }

    [Fact]
    public void The_interval_is_over_targets_and_one_target_has_none()
    {
        var one = Compare(
            Scenario("x", (0.8, +0.1, 0.01), (0.7, 0, 0.01), 0.7),
            Scenario("x", (0.8, +0.2, 0.01), (0.7, 0, 0.01), 0.7)).Methods.First(method => method.Method.Name == Merge);
        Assert.True(double.IsNaN(one.Difference.Low));

        var two = Compare(
            Scenario("x", (0.8, +0.1, 0.01), (0.7, 0, 0.01), 0.7),
            Scenario("y", (0.8, +0.2, 0.01), (0.7, 0, 0.01), 0.7)).Methods.First(method => method.Method.Name == Merge);
        Assert.Equal(Interval.OfMean([0.1, 0.2]), two.Difference);
    }

    [Fact]
    public void A_varied_setting_has_the_mean_of_each_of_its_values()
    {
        ScenarioResult With(double rate, ScenarioResult scenario) => scenario with
        {
            Scenario = scenario.Scenario with
            {
                Settings = scenario.Scenario.Settings with
                {
                    FineTune = scenario.Scenario.Settings.FineTune with { LearningRate = rate },
                },
            },
        };
        var comparison = Compare(
            With(0.1, Scenario("x", (0.8, +0.1, 0.01), (0.7, 0, 0.01), 0.7)),
            With(0.1, Scenario("y", (0.6, -0.1, 0.01), (0.7, 0, 0.01), 0.7)),
            With(0.2, Scenario("x", (0.5, -0.2, 0.01), (0.7, 0, 0.01), 0.7)));

        Assert.Equal(["0.1", "0.2"], comparison.Effects.Select(effect => effect.Value));
        Assert.All(comparison.Effects, effect => Assert.Equal("fineTune.learningRate", effect.Setting));
        Assert.Equal([2, 1], comparison.Effects.Select(effect => effect.Scenarios));
        Assert.Equal(0.7, comparison.Effects[0].Score, 1e-12);
        Assert.Equal(0.0, comparison.Effects[0].Difference!.Value, 1e-12);
        Assert.Contains("| fineTune.learningRate |   0.2 |", SweepTable.Render(comparison), StringComparison.Ordinal);
    }

    [Fact]
    public void One_scenario_has_nothing_to_be_compared_with() =>
        Assert.Null(SweepComparison.Of([Scenario("x", (0.8, 0, 0), (0.7, 0, 0), 0.7)]));

    private static SweepComparison Compare(params ScenarioResult[] scenarios) => SweepComparison.Of(scenarios)!;

    /// <param name="merge">Score, difference to the single source, and half the width of the difference's interval.</param>
    /// <param name="average">The same.</param>
    private static ScenarioResult Scenario(
        string target,
        (double Score, double Difference, double Half) merge,
        (double Score, double Difference, double Half) average,
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
                SmallResult.Summary(mergeRow, Exact(merge.Score), Around(merge.Difference, merge.Half)),
                SmallResult.Summary(averageRow, Exact(average.Score), Around(average.Difference, average.Half)),
                SmallResult.Summary(singleRow, Exact(single)),
            ],
            Comparisons: []);

        static Interval Exact(double value) => new(value, value, value);

        static Interval Around(double value, double half) => new(value, value - half, value + half);
    }
}
