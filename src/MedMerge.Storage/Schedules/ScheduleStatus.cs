namespace MedMerge.Storage.Schedules;

/// <summary>A schedule as its users see it.</summary>
/// <param name="Title">Name of its specification.</param>
/// <param name="NextTimes">The next times in the schedule's zone, at most five; one that has passed waits for a node. Of a paused schedule
/// the next ones if it were resumed.</param>
/// <param name="Waiting">What is decided to run and waits for an earlier sweep, or for a node.</param>
/// <param name="History">What became of the last times, oldest first.</param>
/// <param name="Problem">Why nothing else is known; null for nothing.</param>
internal sealed record ScheduleStatus(
    string Name,
    string Title,
    string Cron,
    string Zone,
    MissedTimes Missed,
    ScheduleOverlap Overlap,
    bool IsPaused,
    IReadOnlyList<DateTimeOffset> NextTimes,
    IReadOnlyList<ScheduledSweep> Waiting,
    IReadOnlyList<ScheduledSweep> History,
    string? Problem = null)
{
    private const int MaxNextTimes = 5;

    /// <inheritdoc cref="Schedule.Recomputes" />
    public bool Recomputes { get; init; }

    /// <summary>The status of a schedule.</summary>
    public static ScheduleStatus Of(Schedule schedule, DateTimeOffset now)
    {
        ScheduleTimes times;
        try
        {
            times = schedule.ReadTimes();
        }
        catch (InputException problem) // this machine does not know the zone
        {
            return Of(schedule, [], time => time) with { Problem = problem.Message };
        }
        return Of(schedule, [.. FindNext(schedule.Resumed(now), times)], times.ToLocal);
    }

    /// <summary>The status of a schedule whose record can't be read.</summary>
    public static ScheduleStatus Damaged(string name, string problem) =>
        new(name, name, "", "", default, default, IsPaused: false, [], [], [], problem);

    private static ScheduleStatus Of(
        Schedule schedule,
        IReadOnlyList<DateTimeOffset> nextTimes,
        Func<DateTimeOffset, DateTimeOffset> toLocal) => new(
        schedule.Name,
        schedule.Title,
        schedule.Cron,
        schedule.Zone,
        schedule.Missed,
        schedule.Overlap,
        schedule.IsPaused,
        nextTimes,
        [.. schedule.Queue.Select(run => new ScheduledSweep(toLocal(run.Time), run.SweepId(schedule.Name)))],
        [.. schedule.History.Select(item => ScheduledSweep.Of(item, schedule.Name, toLocal))])
        {
            Recomputes = schedule.Recomputes,
        };

    private static IEnumerable<DateTimeOffset> FindNext(Schedule schedule, ScheduleTimes times)
    {
        var time = schedule.NextDue;
        for (var i = 0; i < MaxNextTimes && time is { } next; i++)
        {
            yield return times.ToLocal(next);
            time = times.Next(next);
        }
    }
}

/// <summary>A time of a schedule, and its sweep.</summary>
/// <param name="Time">In the schedule's zone.</param>
/// <param name="Sweep">The sweep's id; null where there is none.</param>
/// <param name="Outcome">What became of it; null while it waits.</param>
/// <param name="At">When that was; null while it waits.</param>
internal sealed record ScheduledSweep(DateTimeOffset Time, string? Sweep, ScheduleOutcome? Outcome = null, DateTimeOffset? At = null)
{
    /// <summary>What became of a time.</summary>
    /// <param name="schedule">The schedule's name.</param>
    public static ScheduledSweep Of(ScheduleEvent item, string schedule, Func<DateTimeOffset, DateTimeOffset> toLocal)
    {
        var sweep = item.Outcome == ScheduleOutcome.Fired ? item.Run.SweepId(schedule) : null;
        return new ScheduledSweep(toLocal(item.Run.Time), sweep, item.Outcome, toLocal(item.At));
    }
}
