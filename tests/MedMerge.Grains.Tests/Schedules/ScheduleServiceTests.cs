using MedMerge.Grains.Schedules;
using MedMerge.Grains.Tests.Running;
using MedMerge.Storage;
using MedMerge.Storage.Schedules;
using MedMerge.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using static MedMerge.Testing.Schedules;

namespace MedMerge.Grains.Tests.Schedules;

/// <summary>A node that looks for due schedules, some of which can't be read, before others in the order of names.</summary>
public sealed class ScheduleServiceTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 4, 2, 0, 30, TimeSpan.Zero));
    private readonly RecordingLogger _log = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_schedule_that_is_damaged_or_of_an_unknown_zone_keeps_no_other_from_running()
    {
        using var fired = new SemaphoreSlim(0);
        var objects = new MemoryObjectStore(_time)
        {
            Written = (name, _) =>
            {
                if (name.StartsWith("sweeps/d-", StringComparison.Ordinal)) fired.Release();
            },
        };
        var schedules = new ScheduleStore(objects);
        await objects.TryCreateAsync("schedules/a-damaged", "{}"u8.ToArray(), Cancellation);
        var added = _time.GetUtcNow().AddMinutes(-1);
        var strange = Create(added, "b-strange") with { Zone = "Mars/Olympus" };
        foreach (var schedule in new[] { strange, Create(added, "d", "* * * * *", overlap: ScheduleOverlap.Allow) })
            await schedules.TryCreateAsync(schedule, Cancellation);
        var artefacts = new ArtefactStore(objects);
        var runner = new ScheduleRunner(
            schedules,
            new SweepStore(objects),
            new SchedulePlans(new PlanCache(artefacts), artefacts),
            _time,
            _log.CreateLogger<ScheduleRunner>());
        using var service = new ScheduleService(schedules, runner, new FakeMembership().View, _time, _log.CreateLogger<ScheduleService>());

        await service.StartAsync(Cancellation);
        Assert.True(await fired.WaitAsync(Deadline, Cancellation));
        for (var minute = 1; minute <= 3; minute++)
        {
            // A minute in steps of the period, for a timer that has not begun to wait yet misses one.
            var isFired = false;
            while (!isFired)
            {
                _time.Advance(ScheduleService.Period);
                isFired = await fired.WaitAsync(TimeSpan.FromMilliseconds(20), Cancellation);
            }
        }
        await service.StopAsync(Cancellation);

        var errors = _log.Lines.Where(line => line.Level >= LogLevel.Error).ToList();
        Assert.Equal(2, errors.Count); // each once
        Assert.Contains(errors, line => line.Message.StartsWith("Schedule a-damaged", StringComparison.Ordinal) && line.Error is not null);
        Assert.Contains(errors, line => line.Message.Contains("There is no time zone 'Mars/Olympus'", StringComparison.Ordinal));
    }
}
