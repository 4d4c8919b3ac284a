using MedMerge.Storage.Schedules;
using static MedMerge.Testing.Schedules;

namespace MedMerge.Grains.Tests.Schedules;

/// <summary>Whatever happens in ten years, each time of each schedule is decided about once, and has one sweep at most.</summary>
public sealed class TenYearsTests(ITestOutputHelper output)
{
    private const int Count = 100;

    private static readonly DateTimeOffset Start = new(2026, 1, 10, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset End = Start.AddYears(10);
    private static readonly string[] Zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"];
    private static readonly TimeOnly[] Times = [new(2, 30), new(2, 0), new(1, 45), new(3, 0), new(0, 0), new(14, 10)];

    [Fact]
    public async Task Each_time_of_a_hundred_schedules_is_decided_about_once()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var years = new TenYears(seed, Start);
        var calendars = new Dictionary<string, (LocalCalendar Calendar, Schedule Schedule)>();
        for (var i = 0; i < Count; i++)
        {
            var calendar = CreateCalendar(random, i);
            var missed = i % 2 == 0 ? MissedTimes.All : (MissedTimes)random.Next(3);
            var overlap = (ScheduleOverlap)(i % 3); // those that run daily show all that can become of a time
            var schedule = Create(Start, $"s{i}", calendar.Cron, calendar.Zone, missed, overlap);
            calendars[schedule.Name] = (calendar, schedule);
            await years.AddAsync(schedule);
        }

        await years.RunAsync(End);

        output.WriteLine($"seed {seed}: {years.Submitted.Count} sweeps, {years.Kills} kills");
        var sweeps = years.Submitted.ToLookup(id => id[..id.IndexOf('-', StringComparison.Ordinal)]);
        foreach (var (name, (calendar, schedule)) in calendars)
        {
            var outcomes = years.Outcomes[name];
            Assert.True(calendar.Between(Start, End).ToHashSet().SetEquals(outcomes.Keys), $"seed {seed}: times of {schedule}");
            var fired = outcomes.Where(outcome => outcome.Value == ScheduleOutcome.Fired).Select(outcome => outcome.Key);
            var ids = fired.Select(time => new ScheduledRun(time).SweepId(name)).Order(StringComparer.Ordinal);
            Assert.True(ids.SequenceEqual(sweeps[name].Order(StringComparer.Ordinal)), $"seed {seed}: sweeps of {schedule}");
            var mayMiss = schedule.Missed != MissedTimes.All;
            Assert.True(mayMiss || !outcomes.ContainsValue(ScheduleOutcome.Missed), $"seed {seed}: missed times of {schedule}");
            var maySkip = schedule.Overlap == ScheduleOverlap.Skip;
            Assert.True(maySkip || !outcomes.ContainsValue(ScheduleOutcome.Skipped), $"seed {seed}: skipped times of {schedule}");
        }
        var all = years.Outcomes.Values.SelectMany(outcomes => outcomes.Values).ToHashSet();
        Assert.True(all.SetEquals(Enum.GetValues<ScheduleOutcome>()), $"seed {seed}: {string.Join(", ", all)}"); // or it has shown little
    }

    private static LocalCalendar CreateCalendar(Random random, int number)
    {
        var zone = Zones[random.Next(Zones.Length)];
        var time = Times[random.Next(Times.Length)];
        return number switch
        {
            < 2 => new LocalCalendar(zone, time, Weekday: null, Day: null),
            < 10 => new LocalCalendar(zone, time, DayOfWeek.Sunday, Day: null), // clocks change on Sundays
            _ => new LocalCalendar(zone, time, Weekday: null, Day: random.Next(1, 32)),
        };
    }
}
