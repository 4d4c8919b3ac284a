using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Grains;
using MedMerge.Storage;
using MedMerge.Storage.Schedules;
using MedMerge.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>Scheduled times at which no silo runs, or at which the silo that finds them is killed.</summary>
public sealed class ScheduleTests(AzuriteServer azurite)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    private static readonly SpecificationBuilder Specification = new() { Methods = "[average]" };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Of three yearly times that passed meanwhile each runs once, one after the other, with the numbers of a plain run.</summary>
    [Fact]
    public async Task Times_at_which_every_silo_was_dead_run_once_each_when_silos_are_back()
    {
        var plain = await PlainRun.OutputsAsync(Specification.Yaml);
        await using var cluster = await new TestCluster(azurite).StartAsync(2);
        var schedules = new ScheduleStore(await cluster.StoreAsync());
        var schedule = await AddAsync(cluster, MissedTimes.All);
        await Task.WhenAll(cluster.Silos.Select(silo => silo.KillAsync()));
        var since = DateTimeOffset.UtcNow.AddYears(-3);
        await schedules.UpdateAsync(schedule.Name, found => found with { NextDue = found.ReadTimes().Next(since) }, Cancellation);
        var expected = Times(schedule, since).Select(time => new ScheduledRun(time).SweepId(schedule.Name)).ToList();
        Assert.Equal(3, expected.Count);

        await cluster.StartAsync(2);
        foreach (var id in expected) await EndAsync(cluster, id);

        await AssertFiredOnceEachAsync(cluster, schedule.Name, expected);
        Assert.Equal(plain, await cluster.OutputsAsync());
    }

    /// <summary>Between the decision and the sweep, and between the sweep and the note that it was submitted.</summary>
    [Theory]
    [InlineData("after:schedules:1")]
    [InlineData("after:sweeps:1")]
    public async Task A_silo_that_is_killed_while_it_submits_leaves_one_sweep(string point)
    {
        await using var cluster = new TestCluster(azurite);
        var faulty = await cluster.StartFaultyAsync(point);
        var since = DateTimeOffset.UtcNow.AddYears(-2);
        var schedule = await AddAsync(cluster, MissedTimes.Latest, since);
        await faulty.ExitAsync(Deadline);

        await cluster.StartAsync(1);
        var id = new ScheduledRun(Times(schedule, since).Last()).SweepId(schedule.Name);
        await EndAsync(cluster, id);

        await AssertFiredOnceEachAsync(cluster, schedule.Name, [id]);
    }

    private static IEnumerable<DateTimeOffset> Times(Schedule schedule, DateTimeOffset since)
    {
        var times = schedule.ReadTimes();
        for (var time = times.Next(since); time <= DateTimeOffset.UtcNow; time = times.Next(time.Value)) yield return time.Value;
    }

    /// <summary>Adds a schedule that comes due once a year, half a year from now.</summary>
    /// <param name="since">When it was added; null for now.</param>
    private static async Task<Schedule> AddAsync(TestCluster cluster, MissedTimes missed, DateTimeOffset? since = null)
    {
        var store = await cluster.StoreAsync();
        var artefacts = new ArtefactStore(store);
        var plan = Plan.Build(SpecificationReader.Read(Specification.Yaml, "test.yaml", []));
        var submission = await Submission.WriteAsync(plan, PlanSummary.Of(plan), InputFile.Read, artefacts, Cancellation);
        var month = (DateTimeOffset.UtcNow.Month + 5) % 12 + 1;
        var schedule = Schedules.Create(
            since ?? DateTimeOffset.UtcNow,
            "yearly",
            $"0 2 1 {month} *",
            "Europe/Berlin",
            missed,
            ScheduleOverlap.Queue) with
        {
            Title = submission.Name,
            Specification = submission.Specification,
            Plan = submission.Plan,
            Inputs = [.. await new PlanCache(artefacts).FilesAsync(submission.Specification)],
        };
        Assert.True(await new ScheduleStore(store).TryCreateAsync(schedule, Cancellation));
        return schedule;
    }

    private static async Task EndAsync(TestCluster cluster, string id)
    {
        var sweeps = new SweepStore(await cluster.StoreAsync());
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        deadline.CancelAfter(Deadline);
        while (await sweeps.FindAsync(id, deadline.Token) is null) await Task.Delay(TimeSpan.FromMilliseconds(200), deadline.Token);
        var status = await cluster.EndAsync(id, Deadline);
        Assert.True(status.State == WorkState.Done && status.Done == status.Trials.Count, TestCluster.Describe(status));
    }

    private static async Task AssertFiredOnceEachAsync(TestCluster cluster, string name, IReadOnlyList<string> expected)
    {
        var store = await cluster.StoreAsync();
        Assert.Equal(expected, await new SweepStore(store).ListAsync(Cancellation));
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        deadline.CancelAfter(Deadline);
        Schedule schedule;
        do
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), deadline.Token);
            schedule = (await new ScheduleStore(store).FindAsync(name, deadline.Token))!.Value.Schedule;
        }
        while (schedule.Queue.Count > 0); // submitted, and not noted yet
        var fired = schedule.History.Where(item => item.Outcome == ScheduleOutcome.Fired).Select(item => item.Run.SweepId(name));
        Assert.Equal(expected, fired);
        Assert.True(schedule.NextDue > DateTimeOffset.UtcNow);
        Assert.Empty((await StoreMaintenance.VerifyAsync(store, Cancellation)).Damaged);
    }
}
