using MedMerge.Data;
using MedMerge.Experiments.Benchmarks;
using MedMerge.Statistics;
using static MedMerge.Tests.Experiments.Benchmarks.BenchmarkRuns;

namespace MedMerge.Tests.Experiments.Benchmarks;

/// <summary>When a kind of stages counts as slower.</summary>
public sealed class StageChangesTests
{
    private const double Share = 0.2;
    private static readonly List<BenchmarkStage> Before = Stages("a", 10, 20, 40, 30);

    [Fact]
    public void A_kind_that_takes_half_as_long_again_is_slower_and_one_within_its_noise_is_not()
    {
        var slower = Assert.Single(StageChanges.Compare(Before, Stages("b", 15.2, 29.5, 60.1, 45), []));
        Assert.Equal(("fine-tune", 4, 100.0), (slower.Kind, slower.Pairs, slower.Before));
        Assert.InRange(slower.Ratio.Estimate, 1.49, 1.51);
        Assert.True(StageChanges.IsSlower(slower, Share));
        Assert.False(StageChanges.IsSlower(slower, 0.5));

        var noisy = Assert.Single(StageChanges.Compare(Before, Stages("b", 10, 45, 41, 60), []));
        Assert.True(noisy.Ratio.Estimate > 1 + Share);
        Assert.False(StageChanges.IsSlower(noisy, Share));
    }

    [Fact]
    public void Nights_that_differ_widen_what_counts_as_noise()
    {
        var after = Stages("b", 15, 30, 60, 45);
        Assert.True(StageChanges.IsSlower(StageChanges.Compare(Before, after, []).Single(), Share));
        StageChange[] earlier = [.. new[] { 0.7, 1.4, 0.75 }.Select(ratio => new StageChange("fine-tune", 4, 100, 100, Ratio(ratio)))];

        Assert.False(StageChanges.IsSlower(StageChanges.Compare(Before, after, earlier).Single(), Share));
        var calm = earlier.Select(change => change with { Ratio = Ratio(1.01) }).ToList();
        Assert.True(StageChanges.IsSlower(StageChanges.Compare(Before, after, calm).Single(), Share));
    }

    [Fact]
    public void More_work_is_no_slower_machine()
    {
        var twice = Stages("b", 20, 40, 80, 60).Select(stage => stage with { Cost = 2 * stage.Cost }).ToList();
        Assert.Equal(1, StageChanges.Compare(Before, twice, []).Single().Ratio.Estimate, 1e-12);
    }

    [Fact]
    public void One_stage_without_a_history_tells_nothing()
    {
        var change = StageChanges.Compare([Before[0]], Stages("b", 100), []).Single();
        Assert.Equal(10, change.Ratio.Estimate, 1e-9);
        Assert.False(StageChanges.IsSlower(change, Share));
        var known = new[] { new StageChange("fine-tune", 1, 10, 10, Ratio(1.01)), new StageChange("fine-tune", 1, 10, 10, Ratio(0.98)) };
        Assert.True(StageChanges.IsSlower(StageChanges.Compare([Before[0]], Stages("b", 100), known).Single(), Share));
    }

    [Fact]
    public void Stages_that_take_less_than_a_second_together_are_not_flagged() =>
        Assert.False(StageChanges.IsSlower(StageChanges.Compare(Stages("a", 0.1, 0.2), Stages("b", 0.3, 0.6), []).Single(), Share));

    /// <summary>A stage that was in the store has the time of the run that computed it.</summary>
    [Fact]
    public void Only_stages_that_were_computed_whole_by_two_computations_on_equal_devices_are_compared()
    {
        Assert.Empty(StageChanges.Compare(Before, Before, []));
        var after = Stages("b", 15, 30, 60, 45);
        Assert.Empty(StageChanges.Compare(Before, Change(stage => stage with { Timing = stage.Timing! with { Device = "other" } }), []));
        Assert.Empty(StageChanges.Compare(Before, Change(stage => stage with { Timing = stage.Timing! with { IsResumed = true } }), []));
        Assert.Empty(StageChanges.Compare(Before, Change(stage => stage with { Timing = stage.Timing! with { Nodes = 2 } }), []));
        Assert.Empty(StageChanges.Compare(Before, Change(stage => stage with { Timing = null }), []));
        Assert.Empty(StageChanges.Compare(Before, Change(stage => stage with { Place = $"other {stage.Place}" }), []));
        Assert.Single(StageChanges.Compare(Before, after, []));

        List<BenchmarkStage> Change(Func<BenchmarkStage, BenchmarkStage> change) => [.. after.Select(change)];
    }

    /// <summary>Nights of 10 % noise each, stages of 5 %, nothing slower: hardly any run is flagged. Twice as slow mostly is.</summary>
    [Fact]
    public void False_alarms_are_rare_and_real_ones_are_seen()
    {
        const int repetitions = 2000;
        var (alarms, seen) = (0, 0);
        for (var repetition = 0; repetition < repetitions; repetition++)
        {
            var random = new RandomStream(11, (ulong)repetition);
            var nights = Enumerable.Range(0, 7).Select(night => Night(random, $"{night}", slower: 1)).ToList();
            var earlier = new List<StageChange>();
            for (var night = 1; night < 6; night++) earlier.AddRange(StageChanges.Compare(nights[night - 1], nights[night], earlier));
            alarms += Count(nights[5], nights[6]);
            seen += Count(nights[5], Night(random, "slow", slower: 2));

            int Count(List<BenchmarkStage> before, List<BenchmarkStage> after) =>
                StageChanges.Compare(before, after, earlier).Count(change => StageChanges.IsSlower(change, Share));
        }
        Assert.InRange(alarms / (double)repetitions, 0, 0.01);
        Assert.InRange(seen / (double)repetitions, 0.6, 1);
    }

    private static List<BenchmarkStage> Night(RandomStream random, string run, double slower)
    {
        var load = slower * Math.Exp(0.1 * random.NextNormal());
        return Stages(run, [.. Enumerable.Range(1, 10).Select(place => place * load * Math.Exp(0.05 * random.NextNormal()))]);
    }

    private static Interval Ratio(double ratio) => new(ratio, ratio, ratio);
}
