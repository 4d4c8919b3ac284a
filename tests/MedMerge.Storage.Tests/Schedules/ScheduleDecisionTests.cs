using MedMerge.Storage.Schedules;
using static MedMerge.Testing.Schedules;

namespace MedMerge.Storage.Tests.Schedules;

/// <summary>What a schedule decides, without any store: hourly, added at 00:30.</summary>
public sealed class ScheduleDecisionTests
{
    private static readonly DateTimeOffset Added = At("00:30");

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse($"2026-05-04T{time}Z", null);

    [Fact]
    public void Before_its_time_it_does_nothing()
    {
        var schedule = Hourly();
        Assert.False(ScheduleDecision.IsNeeded(schedule, At("00:59:59")));
        var decision = ScheduleDecision.Decide(schedule, At("00:59:59"), []);
        Assert.Same(schedule, decision.Decided);
        Assert.Empty(decision.Submit);
    }

    [Fact]
    public void At_its_time_it_submits_once_and_the_record_says_so()
    {
        var decision = ScheduleDecision.Decide(Hourly(), At("01:00"), []);

        Assert.Equal([Run("01:00")], decision.Submit);
        Assert.Equal(At("02:00"), decision.Decided.NextDue);
        Assert.Equal([Run("01:00")], decision.Decided.Queue);
        var noted = decision.Decided.Submitted(decision.Submit, At("01:00:05"));
        Assert.Empty(noted.Queue);
        Assert.Equal([new ScheduleEvent(Run("01:00"), ScheduleOutcome.Fired, At("01:00:05"))], noted.History);
        Assert.Same(noted, noted.Submitted(decision.Submit, At("01:00:06"))); // noted by another before
    }

    [Fact]
    public void Who_finds_a_decision_submits_the_same_runs()
    {
        var decided = ScheduleDecision.Decide(Hourly(), At("01:00"), []).Decided;
        var sweep = Run("01:00").SweepId("hourly");
        Assert.Equal("hourly-20260504t010000z", sweep);

        // Whoever died may have submitted it, or not; clocks may have been put back meanwhile.
        foreach (var active in new string[][] { [], [sweep] })
            foreach (var now in new[] { "00:10", "01:00:30", "01:59" })
                Assert.Equal([Run("01:00")], ScheduleDecision.Decide(decided, At(now), active).Submit);
    }

    [Fact]
    public void A_clock_that_was_put_back_fires_nothing_twice()
    {
        var schedule = Settle(ScheduleDecision.Decide(Hourly(), At("01:00"), []));
        foreach (var now in new[] { "00:30", "00:59", "01:00", "01:30" })
            Assert.False(ScheduleDecision.IsNeeded(schedule, At(now)));
        Assert.Equal([Run("02:00")], ScheduleDecision.Decide(schedule, At("02:00"), []).Submit);
    }

    /// <summary>No node ran from 01:00 on.</summary>
    [Theory]
    [InlineData(MissedTimes.All, "04:30", "01:00 02:00 03:00 04:00", "")]
    [InlineData(MissedTimes.Latest, "04:30", "04:00", "01:00 02:00 03:00")]
    [InlineData(MissedTimes.Latest, "04:00:30", "04:00", "01:00 02:00 03:00")]
    [InlineData(MissedTimes.None, "04:30", "", "01:00 02:00 03:00 04:00")]
    [InlineData(MissedTimes.None, "04:00:30", "04:00", "01:00 02:00 03:00")] // the last is not missed
    public void Missed_times_follow_their_rule(MissedTimes missed, string now, string fired, string left)
    {
        var decision = ScheduleDecision.Decide(Hourly(missed, ScheduleOverlap.Allow), At(now), []);

        Assert.Equal(Runs(fired), decision.Submit);
        Assert.Equal(Runs(left), decision.LeftOut.Select(item => item.Run));
        Assert.All(decision.LeftOut, item => Assert.Equal(ScheduleOutcome.Missed, item.Outcome));
        Assert.Equal(Runs(left).Count, decision.Missed);
        Assert.Equal(At("05:00"), decision.Decided.NextDue);
        Assert.Equal(decision.LeftOut, decision.Decided.History);
    }

    /// <summary>The sweep of 01:00 runs until after 03:00.</summary>
    [Theory]
    [InlineData(ScheduleOverlap.Allow, "02:00 03:00", "", "")]
    [InlineData(ScheduleOverlap.Queue, "", "", "02:00")]
    [InlineData(ScheduleOverlap.Skip, "", "02:00 03:00", "")]
    public void Times_at_which_an_earlier_sweep_runs_follow_their_rule(ScheduleOverlap overlap, string fired, string skipped, string after)
    {
        string[] running = [Run("01:00").SweepId("hourly"), "other-20260504t010000z", "hourly-2-20260504t010000z", "hourly-0123456789ab"];
        var schedule = Settle(ScheduleDecision.Decide(Hourly(overlap: overlap), At("01:00"), [.. running.Skip(1)]));
        var submitted = new List<ScheduledRun>();
        foreach (var now in new[] { "02:00", "03:00" })
        {
            var decision = ScheduleDecision.Decide(schedule, At(now), running);
            submitted.AddRange(decision.Submit);
            schedule = Settle(decision);
        }

        Assert.Equal(Runs(fired), submitted);
        Assert.Equal(Runs(skipped), schedule.History.Where(item => item.Outcome == ScheduleOutcome.Skipped).Select(item => item.Run));
        var ended = ScheduleDecision.Decide(schedule, At("03:30"), []);
        Assert.Equal(Runs(after), ended.Submit);
        Assert.Equal(overlap == ScheduleOverlap.Queue ? Runs("03:00") : [], Settle(ended).Queue);
    }

    [Fact]
    public void Queued_missed_times_run_one_after_the_other()
    {
        var schedule = Hourly(MissedTimes.All, ScheduleOverlap.Queue);
        var order = new List<ScheduledRun>();
        string[] running = [];
        for (var round = 0; round < 4; round++)
        {
            var decision = ScheduleDecision.Decide(schedule, At("03:30"), []);
            order.Add(Assert.Single(decision.Submit));
            schedule = Settle(decision);
            running = [order[^1].SweepId("hourly")];
            Assert.Empty(ScheduleDecision.Decide(schedule, At("03:30"), running).Submit);
            if (schedule.Queue.Count == 0) break;
        }
        Assert.Equal(Runs("01:00 02:00 03:00"), order);
    }

    [Theory]
    [InlineData(ScheduleOverlap.Allow)]
    [InlineData(ScheduleOverlap.Queue)]
    public void However_many_times_were_missed_none_is_lost_and_the_record_stays_small(ScheduleOverlap overlap)
    {
        var schedule = Create(Added, cron: "*/10 * * * *", missed: MissedTimes.All, overlap: overlap);
        var now = Added.AddDays(7);
        var times = new List<DateTimeOffset>();
        while (ScheduleDecision.IsNeeded(schedule, now))
        {
            var decision = ScheduleDecision.Decide(schedule, now, []);
            Assert.True(decision.Decided.Queue.Count <= Schedule.MaxQueue);
            times.AddRange(decision.Submit.Select(run => run.Time));
            schedule = Settle(decision);
            Assert.True(schedule.History.Count <= Schedule.MaxHistory);
        }
        Assert.Equal(Enumerable.Range(1, 7 * 24 * 6).Select(i => Added.AddMinutes(10 * i)), times);
    }

    [Fact]
    public void Of_very_many_missed_times_all_are_counted_and_the_last_are_kept()
    {
        var schedule = Create(Added, cron: "* * * * *", missed: MissedTimes.Latest);
        var decision = ScheduleDecision.Decide(schedule, Added.AddDays(365).AddSeconds(90), []);
        Assert.Equal(365 * 24 * 60, decision.Missed);
        Assert.Equal([new ScheduledRun(Added.AddDays(365).AddMinutes(1))], decision.Submit);
        Assert.True(decision.LeftOut.Count <= Schedule.MaxHistory + 1);
        Assert.Equal(Schedule.MaxHistory, decision.Decided.History.Count);
    }

    [Fact]
    public void While_it_is_paused_only_what_a_user_asks_for_runs_and_times_of_the_pause_do_not_count()
    {
        var queue = Settle(ScheduleDecision.Decide(Hourly(MissedTimes.All, ScheduleOverlap.Queue), At("01:00"), []));
        var paused = ScheduleDecision.Decide(queue, At("02:00"), [Run("01:00").SweepId("hourly")]).Decided.Paused();
        Assert.Equal(Runs("02:00"), paused.Queue);
        Assert.Empty(ScheduleDecision.Decide(paused, At("05:30"), []).Submit);

        var asked = ScheduledRun.Manual(At("05:30:01.5"));
        var decision = ScheduleDecision.Decide(paused.WithManual(asked), At("05:30:02"), []);
        Assert.Equal([asked], decision.Submit);
        Assert.Equal("hourly-20260504t053001z-now", asked.SweepId("hourly"));

        var resumed = Settle(decision).Resumed(At("05:45"));
        Assert.Equal(At("06:00"), resumed.NextDue);
        Assert.Equal(Runs("02:00"), ScheduleDecision.Decide(resumed, At("05:45"), []).Submit);
        Assert.Same(resumed, resumed.Resumed(At("05:46")));
        Assert.Equal(At("02:00"), Hourly().Paused().Resumed(At("01:00")).NextDue); // not after what is undecided
        var early = Settle(ScheduleDecision.Decide(Hourly(), At("03:00"), [])).Paused();
        Assert.Equal(At("04:00"), early.Resumed(At("01:10")).NextDue); // put back meanwhile: nothing twice
    }

    [Theory]
    [InlineData(ScheduleOverlap.Allow)]
    [InlineData(ScheduleOverlap.Queue)]
    [InlineData(ScheduleOverlap.Skip)]
    public void What_a_user_asks_for_waits_for_nothing_and_is_asked_for_once_a_second(ScheduleOverlap overlap)
    {
        var schedule = Settle(ScheduleDecision.Decide(Hourly(overlap: overlap), At("01:00"), []));
        var run = ScheduledRun.Manual(At("01:10"));
        var asked = schedule.WithManual(run);
        Assert.Same(asked, asked.WithManual(run));
        var decision = ScheduleDecision.Decide(asked, At("01:10"), [Run("01:00").SweepId("hourly")]);
        Assert.Equal([run], decision.Submit);
        var done = Settle(decision);
        Assert.Same(done, done.WithManual(run));
    }

    [Fact]
    public void The_ids_of_sweeps_are_no_other_schedules_and_no_submissions()
    {
        var run = Run("01:00");
        var manual = run with { IsManual = true };
        Assert.NotEqual(run.SweepId("a"), manual.SweepId("a"));
        Assert.True(ScheduledRun.IsOf(run.SweepId("a"), "a") && ScheduledRun.IsOf(manual.SweepId("a"), "a"));
        Assert.False(ScheduledRun.IsOf(run.SweepId("a-b"), "a"));
        Assert.False(ScheduledRun.IsOf(manual.SweepId("a-b"), "a"));
        Assert.False(ScheduledRun.IsOf("a-0123456789ab", "a"));
        Assert.True(manual.SweepId(new string('a', 40)).Length <= 61); // what the gateway takes for a sweep's id
    }

    [Theory]
    [InlineData("nightly-2", true)]
    [InlineData("7", true)]
    [InlineData("", false)]
    [InlineData("-a", false)]
    [InlineData("Nightly", false)]
    [InlineData("a/b", false)]
    [InlineData("..", false)]
    [InlineData("a\n", false)]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    public void Names_are_safe_as_names_of_objects(string name, bool isName)
    {
        Assert.Equal(isName, Schedule.IsName(name));
        if (isName) Schedule.CheckName(name);
        else Assert.Throws<InputException>(() => Schedule.CheckName(name));
    }

    private static Schedule Hourly(MissedTimes missed = MissedTimes.Latest, ScheduleOverlap overlap = ScheduleOverlap.Skip) =>
        Create(Added, "hourly", "0 * * * *", missed: missed, overlap: overlap);

    private static Schedule Settle(ScheduleDecision decision) => decision.Decided.Submitted(decision.Submit, Added);

    private static ScheduledRun Run(string time) => new(At(time));

    private static List<ScheduledRun> Runs(string times) => [.. times.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Run)];
}
