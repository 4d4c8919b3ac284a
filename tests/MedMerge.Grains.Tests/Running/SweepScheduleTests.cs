using MedMerge.Grains.Running;
using MedMerge.Storage;

namespace MedMerge.Grains.Tests.Running;

/// <summary>Which trials begin next.</summary>
public sealed class SweepScheduleTests
{
    private const int Lanes = 8;
    private static readonly HashSet<int> Nobody = [];

    private static readonly SweepRecord Fresh =
        SweepRecord.Start("s", "spec", "plan", [], [], DateTimeOffset.UnixEpoch, trace: null).Planned(6, SweepLimits.None);

    [Fact]
    public void What_had_begun_comes_first_and_no_more_than_there_is_room_for()
    {
        var record = Fresh.WithTrial(4, trial => trial.Started(trace: null));
        Assert.Equal([4, 1, 2, 3, 5, 6], SweepSchedule.Next(record, Nobody, Lanes));
        Assert.Equal([4, 1], SweepSchedule.Next(record, Nobody, lanes: 2));
        Assert.Equal([1], SweepSchedule.Next(record, new HashSet<int> { 4 }, lanes: 2));
        Assert.Equal([4], SweepSchedule.Next(record with { Limits = new SweepLimits(Parallel: 1) }, Nobody, Lanes));
        Assert.Empty(SweepSchedule.Next(record, Nobody, lanes: 0)); // no node has the device
        Assert.Empty(SweepSchedule.Next(record.ChangedTo(WorkState.Paused), Nobody, Lanes));
    }

    [Fact]
    public void A_budget_of_trials_counts_those_that_have_begun()
    {
        var record = Fresh with { Limits = new SweepLimits(Trials: 3) };
        Assert.Equal([1, 2, 3], SweepSchedule.Next(record, Nobody, Lanes));
        Assert.Equal([3], SweepSchedule.Next(record, new HashSet<int> { 1, 2 }, Lanes)); // their beginning is not written yet
        foreach (var number in new[] { 1, 2, 3 }) record = record.WithTrial(number, trial => trial.Started(trace: null).Done());
        Assert.True(SweepSchedule.IsBudgetSpent(record));
        Assert.Empty(SweepSchedule.Next(record, Nobody, Lanes));

        var ended = record.WithoutTrials(record.Trials.Startable, TrialRecord.LeftOutByBudget).Completed();
        Assert.Equal((WorkState.Done, 3, 3), (ended.State, ended.Trials.Counts.Done, ended.Trials.Counts.Cancelled));
        Assert.StartsWith("The budget was spent before 3 of 6 trials began", ended.Reason, StringComparison.Ordinal);
        var resumed = (ended with { Limits = new SweepLimits(Trials: 5) }).ChangedTo(WorkState.Running);
        Assert.Equal([4, 5], SweepSchedule.Next(resumed, Nobody, Lanes));
    }

    [Fact]
    public void A_budget_of_device_hours_counts_what_was_used()
    {
        var record = Fresh with { Limits = new SweepLimits(DeviceHours: 0.5) };
        Assert.Equal(6, SweepSchedule.Next(record with { DeviceSeconds = 1799 }, Nobody, Lanes).Count);
        Assert.Empty(SweepSchedule.Next(record with { DeviceSeconds = 1800 }, Nobody, Lanes));
    }
}
