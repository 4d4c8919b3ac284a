using System.Text;
using MedMerge.Storage.Schedules;
using MedMerge.Testing;
using Microsoft.Extensions.Time.Testing;
using static MedMerge.Testing.Schedules;

namespace MedMerge.Storage.Tests.Schedules;

public sealed class ScheduleStoreTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero));
    private readonly MemoryObjectStore _objects;
    private readonly ScheduleStore _schedules;

    public ScheduleStoreTests()
    {
        _objects = new MemoryObjectStore(_time);
        _schedules = new ScheduleStore(_objects);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_schedule_is_kept_once_and_comes_back_whole()
    {
        var run = new ScheduledRun(_time.GetUtcNow());
        var schedule = Create(_time.GetUtcNow()) with
        {
            Inputs = ["one"],
            Queue = [run],
            History = [new ScheduleEvent(run with { IsManual = true }, ScheduleOutcome.Skipped, _time.GetUtcNow())],
        };
        Assert.True(await _schedules.TryCreateAsync(schedule, Cancellation));
        Assert.False(await _schedules.TryCreateAsync(schedule, Cancellation));
        Assert.Equivalent(schedule, (await _schedules.FindAsync("nightly", Cancellation))!.Value.Schedule, strict: true);
        Assert.Equal(["nightly"], await _schedules.ListAsync(Cancellation));
        foreach (var none in new[] { "other", "../artefacts", "", "a/b" }) Assert.Null(await _schedules.FindAsync(none, Cancellation));
        await _schedules.RemoveAsync("nightly", Cancellation);
        Assert.Null(await _schedules.FindAsync("nightly", Cancellation));
        Assert.Null(await _schedules.UpdateAsync("nightly", found => found.Paused(), Cancellation));
    }

    [Fact]
    public async Task Changes_of_two_processes_are_both_kept()
    {
        await _schedules.TryCreateAsync(Create(_time.GetUtcNow()), Cancellation);
        var pausing = new PausingObjectStore(_objects);
        var point = pausing.StopAt("replace schedules/nightly");
        var slow = new ScheduleStore(pausing).UpdateAsync("nightly", schedule => schedule.Paused(), Cancellation);
        await point.Reached;
        var asked = ScheduledRun.Manual(_time.GetUtcNow());
        await _schedules.UpdateAsync("nightly", schedule => schedule.WithManual(asked), Cancellation);
        point.Release();
        await slow;

        var schedule = (await _schedules.FindAsync("nightly", Cancellation))!.Value.Schedule;
        Assert.True(schedule.IsPaused);
        Assert.Equal([asked], schedule.Queue);
    }

    [Fact]
    public async Task A_damaged_record_is_an_error_that_names_the_remedy()
    {
        await _objects.TryCreateAsync("schedules/nightly", "{}"u8.ToArray(), Cancellation);
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => _schedules.FindAsync("nightly", Cancellation));
        Assert.Contains("'nightly' is damaged. Remove it", error.Message, StringComparison.Ordinal);
        Assert.Contains("schedules/nightly", (await StoreMaintenance.VerifyAsync(_objects, Cancellation)).Damaged);
    }

    [Fact]
    public async Task A_record_has_its_rules_by_name()
    {
        var schedule = Create(_time.GetUtcNow()) with { PlannedBy = "code", Queue = [new ScheduledRun(_time.GetUtcNow())] };
        await _schedules.TryCreateAsync(schedule, Cancellation);
        var text = Encoding.UTF8.GetString((await _objects.ReadAsync("schedules/nightly", Cancellation))!.Content);
        Assert.EndsWith(
            """
            "body":{"name":"nightly","title":"title","specification":"spec","plan":"plan","plannedBy":"code","inputs":[],
            "cron":"0 2 * * *","zone":"UTC","missed":"Latest","overlap":"Skip","isPaused":false,"nextDue":"2026-05-05T02:00:00+00:00",
            "queue":[{"time":"2026-05-04T12:00:00+00:00","isManual":false}],"history":[]}}
            """.ReplaceLineEndings(""), text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_schedule_will_run_is_not_removed_however_old()
    {
        var artefacts = new ArtefactStore(_objects);
        var hashes = new List<string>();
        for (byte i = 0; i < 4; i++) hashes.Add(await artefacts.WriteAsync(new[] { i }, Cancellation));
        var schedule = Create(_time.GetUtcNow()) with { Specification = hashes[0], Plan = hashes[1], Inputs = [hashes[2]] };
        await _schedules.TryCreateAsync(schedule, Cancellation);
        _time.Advance(TimeSpan.FromDays(400));

        var cleaned = await StoreMaintenance.CollectAsync(_objects, TimeSpan.FromHours(24), _time, Cancellation);
        Assert.Equal((3, 1), (cleaned.Kept, cleaned.Removed));
        Assert.Empty((await StoreMaintenance.VerifyAsync(_objects, Cancellation)).Damaged);
        await _schedules.RemoveAsync("nightly", Cancellation);
        cleaned = await StoreMaintenance.CollectAsync(_objects, TimeSpan.FromHours(24), _time, Cancellation);
        Assert.Equal((0, 3), (cleaned.Kept, cleaned.Removed));
    }
}
