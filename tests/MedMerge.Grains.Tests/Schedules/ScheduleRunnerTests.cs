using MedMerge.Grains.Schedules;
using MedMerge.Storage;
using MedMerge.Storage.Schedules;
using MedMerge.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using static MedMerge.Testing.Schedules;

namespace MedMerge.Grains.Tests.Schedules;

/// <summary>Nodes that find the same schedule due at the same time, or die while they submit its sweep.</summary>
public sealed class ScheduleRunnerTests
{
    private const string Sweep = "nightly-20260504t020000z";

    private static readonly DateTimeOffset Due = new(2026, 5, 4, 2, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _time = new(Due.AddHours(-1));
    private readonly RecordingLogger _log = new();
    private readonly MemoryObjectStore _objects;
    private readonly ScheduleStore _schedules;
    private readonly SweepStore _sweeps;
    private readonly List<string> _created = [];

    public ScheduleRunnerTests()
    {
        _objects = new MemoryObjectStore(_time)
        {
            Written = (name, _) =>
            {
                if (name.StartsWith(SweepStore.Prefix, StringComparison.Ordinal)) _created.Add(name);
            },
        };
        _schedules = new ScheduleStore(_objects);
        _sweeps = new SweepStore(_objects);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task At_its_time_a_schedule_submits_its_specification_as_an_active_sweep()
    {
        await AddAsync(Create(_time.GetUtcNow()) with { Inputs = ["data", "weights"] });
        await CreateRunner(_objects).RunAsync("nightly", Cancellation);
        Assert.Empty(_created);

        _time.SetUtcNow(Due.AddSeconds(4));
        await CreateRunner(_objects).RunAsync("nightly", Cancellation);
        await CreateRunner(_objects).RunAsync("nightly", Cancellation);

        Assert.Equal([Sweep], await _sweeps.ActiveAsync(Cancellation));
        var record = (await _sweeps.FindAsync(Sweep, Cancellation))!.Value.Record;
        Assert.Equal(("title", "spec", "plan"), (record.Name, record.Specification, record.Plan));
        Assert.Equal(["data", "weights"], record.Inputs);
        Assert.Equal((WorkState.Running, _time.GetUtcNow()), (record.State, record.Submitted));
        await AssertFiredOnceAsync();
        Assert.Equal(Due.AddDays(1), (await FindAsync()).NextDue);
    }

    /// <summary>One node stops at each of its writes in turn while another does the whole.</summary>
    [Theory]
    [InlineData("replace schedules/nightly")]
    [InlineData($"create active/{Sweep}")]
    [InlineData($"create sweeps/{Sweep}")]
    public async Task Of_two_nodes_that_find_it_due_one_submits(string call)
    {
        await AddAsync(Create(_time.GetUtcNow()));
        _time.SetUtcNow(Due);
        var pausing = new PausingObjectStore(_objects);
        var point = pausing.StopAt(call);
        var slow = CreateRunner(pausing).RunAsync("nightly", Cancellation);
        await point.Reached;
        await CreateRunner(_objects).RunAsync("nightly", Cancellation);
        var winner = (await _sweeps.FindAsync(Sweep, Cancellation))!.Value.ETag;
        point.Release();
        await slow;

        Assert.Equal(winner, (await _sweeps.FindAsync(Sweep, Cancellation))!.Value.ETag);
        await AssertFiredOnceAsync();
    }

    /// <summary>A node dies before one of its writes, long before another node looks.</summary>
    [Theory]
    [InlineData("replace schedules/nightly", MissedTimes.None, ScheduleOutcome.Missed)] // nothing was decided
    [InlineData("replace schedules/nightly", MissedTimes.Latest, ScheduleOutcome.Fired)]
    [InlineData($"create active/{Sweep}", MissedTimes.None, ScheduleOutcome.Fired)]
    [InlineData($"create sweeps/{Sweep}", MissedTimes.None, ScheduleOutcome.Fired)]
    public async Task What_a_node_that_died_had_decided_is_carried_out(string call, MissedTimes missed, ScheduleOutcome outcome)
    {
        await AddAsync(Create(_time.GetUtcNow(), missed: missed));
        _time.SetUtcNow(Due);
        await DieAtAsync(call);

        _time.SetUtcNow(Due.AddHours(20));
        await CreateRunner(_objects).RunAsync("nightly", Cancellation);

        Assert.Equal(outcome, Assert.Single((await FindAsync()).History).Outcome);
        Assert.Equal(outcome == ScheduleOutcome.Fired ? [SweepStore.Prefix + Sweep] : [], _created);
        var message = outcome == ScheduleOutcome.Fired ? $"was submitted as sweep {Sweep}" : "1 times, the last at 2026-05-04 02:00:00Z";
        Assert.Contains(message, Assert.Single(_log.Lines).Message, StringComparison.Ordinal);
    }

    /// <summary>The second write of the record is the note that the sweep was submitted; meanwhile the sweep may have ended.</summary>
    [Theory]
    [InlineData(ScheduleOverlap.Skip, true)]
    [InlineData(ScheduleOverlap.Skip, false)]
    [InlineData(ScheduleOverlap.Queue, true)]
    [InlineData(ScheduleOverlap.Queue, false)]
    [InlineData(ScheduleOverlap.Allow, true)]
    public async Task A_sweep_that_was_submitted_and_not_noted_is_not_submitted_again(ScheduleOverlap overlap, bool hasEnded)
    {
        await AddAsync(Create(_time.GetUtcNow(), overlap: overlap));
        _time.SetUtcNow(Due);
        var pausing = new PausingObjectStore(_objects);
        var created = pausing.StopAt($"create sweeps/{Sweep}");
        var dying = CreateRunner(pausing).RunAsync("nightly", Cancellation);
        await created.Reached;
        var note = pausing.StopAt("replace schedules/nightly");
        created.Release();
        await note.Reached;
        note.Fail(new IOException("killed"));
        await Assert.ThrowsAsync<IOException>(() => dying);
        if (hasEnded) await _sweeps.UnmarkAsync(Sweep, Cancellation);

        await CreateRunner(_objects).RunAsync("nightly", Cancellation);

        await AssertFiredOnceAsync();
    }

    [Fact]
    public async Task A_sweep_that_is_damaged_stops_no_schedule()
    {
        await AddAsync(Create(_time.GetUtcNow()));
        await _objects.TryCreateAsync(SweepStore.Prefix + Sweep, "{}"u8.ToArray(), Cancellation);
        _time.SetUtcNow(Due);
        await CreateRunner(_objects).RunAsync("nightly", Cancellation);
        Assert.Equal(ScheduleOutcome.Fired, Assert.Single((await FindAsync()).History).Outcome);
    }

    [Fact]
    public async Task A_schedule_that_is_removed_while_it_fires_stays_removed()
    {
        await ChangeWhileItFiresAsync(() => _schedules.RemoveAsync("nightly", Cancellation));
        Assert.Empty(await _schedules.ListAsync(Cancellation));
    }

    [Fact]
    public async Task A_user_who_pauses_while_it_fires_loses_neither_the_pause_nor_the_note()
    {
        await ChangeWhileItFiresAsync(() => _schedules.UpdateAsync("nightly", schedule => schedule.Paused(), Cancellation));
        Assert.True((await FindAsync()).IsPaused);
        await AssertFiredOnceAsync();
    }

    private async Task ChangeWhileItFiresAsync(Func<Task> change)
    {
        await AddAsync(Create(_time.GetUtcNow()));
        _time.SetUtcNow(Due);
        var pausing = new PausingObjectStore(_objects);
        var point = pausing.StopAt($"create sweeps/{Sweep}");
        var running = CreateRunner(pausing).RunAsync("nightly", Cancellation);
        await point.Reached;
        await change();
        point.Release();
        await running;
    }

    [Fact]
    public async Task A_time_that_overlaps_is_skipped_with_a_line_in_the_log()
    {
        await AddAsync(Create(_time.GetUtcNow()));
        _time.SetUtcNow(Due);
        await CreateRunner(_objects).RunAsync("nightly", Cancellation);
        _time.SetUtcNow(Due.AddDays(1));
        await CreateRunner(_objects).RunAsync("nightly", Cancellation);
        Assert.Single(_created);
        var line = Assert.Single(_log.Lines, line => line.Level == LogLevel.Warning);
        Assert.Contains("2026-05-05 02:00:00Z is skipped", line.Message, StringComparison.Ordinal);
    }

    private async Task DieAtAsync(string call)
    {
        var pausing = new PausingObjectStore(_objects);
        var point = pausing.StopAt(call);
        var dying = CreateRunner(pausing).RunAsync("nightly", Cancellation);
        await point.Reached;
        point.Fail(new IOException("killed"));
        await Assert.ThrowsAsync<IOException>(() => dying);
    }

    private async Task AssertFiredOnceAsync()
    {
        var schedule = await FindAsync();
        Assert.Equal([SweepStore.Prefix + Sweep], _created);
        Assert.Equal(ScheduleOutcome.Fired, Assert.Single(schedule.History).Outcome);
        Assert.Empty(schedule.Queue);
        Assert.Contains($"was submitted as sweep {Sweep}", Assert.Single(_log.Lines).Message, StringComparison.Ordinal);
    }

    private async Task AddAsync(Schedule schedule) => Assert.True(await _schedules.TryCreateAsync(schedule, Cancellation));

    private async Task<Schedule> FindAsync() => (await _schedules.FindAsync("nightly", Cancellation))!.Value.Schedule;

    private ScheduleRunner CreateRunner(IObjectStore objects)
    {
        var artefacts = new ArtefactStore(objects);
        var plans = new SchedulePlans(new PlanCache(artefacts), artefacts);
        return new ScheduleRunner(
            new ScheduleStore(objects),
            new SweepStore(objects),
            plans,
            _time,
            _log.CreateLogger<ScheduleRunner>());
    }
}
