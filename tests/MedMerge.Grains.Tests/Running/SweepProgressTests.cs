using MedMerge.Experiments.Planning;
using MedMerge.Grains.Running;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Grains.Tests.Running;

public sealed class SweepProgressTests
{
    private static readonly StageSummary A = new("a", "train", 10), B = new("b", "train", 30), C = new("c", "train", 60);
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Before_there_is_a_pace_nothing_is_promised()
    {
        var pace = new SweepProgress([A, B, C], _time);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, pace.CompletedFraction);
        Assert.Null(pace.EstimatedRemaining);
        pace.OnStatus(Status(kept: [A, B])); // kept is no pace
        Assert.Equal(0.4, pace.CompletedFraction);
        Assert.Null(pace.EstimatedRemaining);
    }

    /// <summary>A sweep that moved to another node or was paused does not seem to have lost its work.</summary>
    [Fact]
    public void Trials_that_had_their_result_before_count_from_the_start()
    {
        var pace = new SweepProgress([A, B, C], _time);
        pace.MarkCached([A, B]);
        Assert.Equal(0.4, pace.CompletedFraction);
        Assert.Null(pace.EstimatedRemaining);
    }

    [Fact]
    public void The_time_left_follows_from_what_was_computed()
    {
        var pace = new SweepProgress([A, B, C], _time);
        _time.Advance(TimeSpan.FromSeconds(30));
        pace.OnStatus(Status(kept: [A], computed: [B]));
        Assert.Equal(0.4, pace.CompletedFraction);
        Assert.Equal(60, pace.EstimatedRemaining!.Value.TotalSeconds, 1e-6); // 30 took 30 s, 60 are left

        pace.OnStatus(Status(kept: [A], computed: [B], under: C, epoch: 3, epochs: 6));
        Assert.Equal(0.7, pace.CompletedFraction, 1e-12);
        pace.OnStatus(Status(kept: [A], computed: [B, C]));
        Assert.Equal(1, pace.CompletedFraction);
        Assert.Equal(TimeSpan.Zero, pace.EstimatedRemaining);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_one_trial_computes_and_another_finds_counts_once(bool finderFirst)
    {
        var pace = new SweepProgress([A, B, C], _time);
        TrialStatus[] heard = [Status(kept: [B]), Status(computed: [B])];
        foreach (var status in finderFirst ? heard : heard.Reverse()) pace.OnStatus(status);
        Assert.Equal(0.3, pace.CompletedFraction);
    }

    [Fact]
    public void A_stage_under_way_that_is_done_counts_once()
    {
        var pace = new SweepProgress([A, B, C], _time);
        pace.OnStatus(Status(under: C, epoch: 6, epochs: 6));
        Assert.Equal(0.6, pace.CompletedFraction);
        pace.OnStatus(Status(computed: [C]));
        Assert.Equal(0.6, pace.CompletedFraction);
    }

    [Fact]
    public void Work_without_cost_and_stages_of_other_plans_do_no_harm()
    {
        var free = new SweepProgress([new StageSummary("free", "train", 0)], _time);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, free.CompletedFraction);
        Assert.Null(free.EstimatedRemaining);
        free.OnStatus(Status(computed: [C], under: C, epoch: 1, epochs: 2));
        Assert.Equal(1, free.CompletedFraction);
    }

    private static TrialStatus Status(
        StageSummary[]? kept = null,
        StageSummary[]? computed = null,
        StageSummary? under = null,
        int epoch = 0,
        int epochs = 0)
    {
        var progress = under is null ? null : new StageProgress(under.Name, epoch, epochs, null, null, "node", under.Key);
        return new TrialStatus(WorkState.Running, [], progress, Keys(computed), Keys(kept), null);
    }

    private static string[] Keys(StageSummary[]? stages) => [.. (stages ?? []).Select(stage => stage.Key)];
}
