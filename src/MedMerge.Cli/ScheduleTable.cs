using System.Globalization;
using MedMerge.Reporting;
using MedMerge.Storage.Schedules;

namespace MedMerge.Cli;

/// <summary>Schedules as text.</summary>
internal static class ScheduleTable
{
    private const string None = "-";

    /// <summary>When it runs next, or why it does not.</summary>
    public static string DescribeNext(ScheduleStatus schedule)
    {
        if (schedule.Problem is not null) return schedule.Problem;
        if (schedule.IsPaused) return "paused";
        return schedule.NextTimes.Count == 0 ? "no more" : Write(schedule.NextTimes[0]);
    }

    /// <summary>All schedules.</summary>
    public static string Render(IEnumerable<ScheduleStatus> schedules) => TextTable.Render(
    [
        ["name", "specification", "cron", "zone", "next", "last"],
        .. schedules.Select(schedule => (string[])
        [
            schedule.Name,
            schedule.Title,
            schedule.Cron,
            schedule.Zone,
            DescribeNext(schedule),
            schedule.History.Count == 0 ? None : $"{schedule.History[^1].Outcome} {Write(schedule.History[^1].Time)}",
        ]),
    ]).TrimEnd();

    /// <summary>One schedule with its next times and its history.</summary>
    public static string Render(ScheduleStatus schedule)
    {
        var rules = $"missed: {schedule.Missed}, overlap: {schedule.Overlap}".ToLowerInvariant();
        var recomputes = schedule.Recomputes ? ", computes everything again" : "";
        var paused = schedule.IsPaused ? ", paused" : "";
        List<string> lines =
        [
            $"{schedule.Name} ({schedule.Title}): '{schedule.Cron}' in {schedule.Zone}, {rules}{recomputes}{paused}",
            .. new[] { schedule.Problem }.OfType<string>(),
            "",
            schedule.IsPaused ? "Next times, once it is resumed:" : "Next times:",
            .. schedule.NextTimes.Select(time => $"  {Write(time)}"),
        ];
        var history = schedule.History.Concat(schedule.Waiting).Reverse().ToList();
        if (history.Count == 0) return string.Join('\n', lines);
        var table = TextTable.Render(
        [
            ["time", "outcome", "sweep"],
            .. history.Select(item => (string[])[Write(item.Time), item.Outcome?.ToString() ?? "Waiting", item.Sweep ?? None]),
        ]).TrimEnd();
        return $"{string.Join('\n', lines)}\n\n{table}";
    }

    private static string Write(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture);
}
