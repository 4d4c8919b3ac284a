using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Reporting;
using MedMerge.Testing;

namespace MedMerge.Tests.Experiments;

/// <summary>How long a plan takes, by stages that were measured.</summary>
public class ExpectedTimeTests
{
    private const string Device = "a processor";

    private static readonly PlanSummary Plan = PlanSummary.Of(new SpecificationBuilder { Methods = "[scratch]", Seeds = 2 }.BuildPlan());

    private static readonly IReadOnlyList<StageKind> Kinds = StageKind.ListAll(Plan);

    private static readonly double TrainingCost = Plan.Stages.Where(stage => stage.Name == "fine-tune").Sum(stage => stage.Cost);

    private static readonly double EvaluationCost = Plan.Stages.Where(stage => stage.Name == "evaluate").Sum(stage => stage.Cost);

    [Fact]
    public void It_is_the_cost_that_is_left_by_the_median_pace_of_each_kind_over_the_lanes()
    {
        MeasuredStage[] measured =
        [
            Measured("fine-tune", pace: 9),
            Measured("fine-tune", pace: 3),
            Measured("fine-tune", pace: 2),
            Measured("evaluate", pace: 1),
            Measured("evaluate", pace: 2),
        ];

        var expected = ExpectedTime.Of(Plan, _ => false, measured, Device, lanes: 2);

        Assert.Equal(((3 * TrainingCost) + (1.5 * EvaluationCost)) / 2, expected.Known.TotalSeconds, tolerance: 1e-3);
        Assert.Equal(5, expected.Measured);
        Assert.Empty(expected.Unmeasured);

        var evaluate = Plan.Stages.First(stage => stage.Name == "evaluate").Key;
        var less = ExpectedTime.Of(Plan, key => key == evaluate, measured, Device, lanes: 1);
        Assert.Equal((3 * TrainingCost) + (1.5 * EvaluationCost / 2), less.Known.TotalSeconds, tolerance: 1e-3);
    }

    [Fact]
    public void It_is_no_less_than_the_longest_trial_takes()
    {
        MeasuredStage[] measured = [Measured("fine-tune", pace: 3), Measured("evaluate", pace: 1)];
        var keys = Plan.GetStages(Plan.Trials[1]).Select(stage => stage.Key).ToHashSet();
        var second = Plan.Stages.Where(stage => keys.Contains(stage.Key)).ToList();
        var longest = second.Sum(stage => stage.Cost * (stage.Name == "fine-tune" ? 3 : 1));

        var expected = ExpectedTime.Of(Plan, _ => false, measured, Device, lanes: 64);

        Assert.Equal(longest, expected.Known.TotalSeconds, tolerance: 1e-3);
        var left = ExpectedTime.Of(Plan, key => !keys.Contains(key), measured, Device, lanes: 1);
        Assert.Equal(longest, left.Known.TotalSeconds, tolerance: 1e-3);
    }

    [Fact]
    public void What_was_measured_elsewhere_or_only_in_part_does_not_count()
    {
        var kind = FindKind("fine-tune");
        var good = Measured("fine-tune", pace: 2);
        MeasuredStage[] measured =
        [
            good,
            good with { Kind = kind with { Network = "resnet18" } },
            good with { Kind = kind with { Threads = 8 } },
            good with { Timing = good.Timing with { Device = "another processor" } },
            good with { Timing = good.Timing with { IsResumed = true } },
            good with { Timing = good.Timing with { Seconds = 0 } },
            good with { Cost = 0 },
        ];

        var expected = ExpectedTime.Of(Plan, _ => false, measured, Device, lanes: 1);

        Assert.Equal(1, expected.Measured);
        Assert.Equal(2 * TrainingCost, expected.Known.TotalSeconds, tolerance: 1e-3);
        Assert.Equal(["evaluate"], expected.Unmeasured);
    }

    [Fact]
    public void A_stage_that_was_spread_over_nodes_took_the_time_of_all_of_them()
    {
        var spread = Measured("fine-tune", pace: 2);
        spread = spread with { Timing = spread.Timing with { Nodes = 3 } };
        var expected = ExpectedTime.Of(Plan, _ => false, [spread], Device, lanes: 1);
        Assert.Equal(6 * TrainingCost, expected.Known.TotalSeconds, tolerance: 1e-3);
    }

    [Theory]
    [InlineData(0.2, 1, "Expected time: about 1 s on one lane, by the paces of one measured stage\n", "")]
    [InlineData(100, 4, "Expected time: about 100 s on 2 lanes, by the paces of 4 measured stages\n", "")]
    [InlineData(600, 4, "Expected time: about 10 min on 2 lanes, by the paces of 4 measured stages, and more: no stage", "weigh")]
    [InlineData(10_000, 4, "Expected time: about 3 h on 2 lanes, by", "")]
    [InlineData(0, 0, "Expected time: not known, no stage of kind weigh was measured here yet", "weigh")]
    [InlineData(0, 0, "Expected time: none: everything is in the store\n", "")]
    public void The_plans_table_says_what_it_comes_from(double seconds, int measured, string text, string unmeasured)
    {
        string[] names = unmeasured.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var expected = new ExpectedTime(TimeSpan.FromSeconds(seconds), measured, Lanes: measured == 1 ? 1 : 2, names);
        Assert.Contains("\n" + text, PlanTable.Render(Plan, _ => false, expected), StringComparison.Ordinal);
    }

    [Fact]
    public void A_search_that_stops_trials_early_takes_at_most_that()
    {
        var expected = new ExpectedTime(TimeSpan.FromSeconds(30), Measured: 4, Lanes: 2, Unmeasured: []);
        var table = PlanTable.Render(Plan with { Halving = new Halving(2, 1) }, _ => false, expected);
        Assert.Contains("\nExpected time: at most about 30 s on 2 lanes", table, StringComparison.Ordinal);
        Assert.DoesNotContain("Expected time", PlanTable.Render(Plan, _ => false), StringComparison.Ordinal);
    }

    private static StageKind FindKind(string name) => Kinds.First(kind => kind.Name == name);

    /// <summary>A measured stage.</summary>
    /// <param name="pace">In seconds for a unit of cost.</param>
    private static MeasuredStage Measured(string kind, double pace) =>
        new(FindKind(kind), Cost: 10, new StageTiming(10 * pace, IsResumed: false, Device));
}
