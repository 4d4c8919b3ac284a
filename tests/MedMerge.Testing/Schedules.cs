using MedMerge.Storage.Schedules;

namespace MedMerge.Testing;

/// <summary>Schedules for tests, of a specification that no test runs.</summary>
internal static class Schedules
{
    /// <summary>A schedule that was added at some time.</summary>
    public static Schedule Create(
        DateTimeOffset added,
        string name = "nightly",
        string cron = "0 2 * * *",
        string zone = "UTC",
        MissedTimes missed = MissedTimes.Latest,
        ScheduleOverlap overlap = ScheduleOverlap.Skip)
    {
        var next = ScheduleTimes.Read(cron, zone).Next(added);
        return new Schedule(name, "title", "spec", "plan", CodeVersion.Current, [], cron, zone, missed, overlap, false, next, [], []);
    }
}
