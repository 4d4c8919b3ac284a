namespace MedMerge.Storage.Schedules;

/// <summary>
/// What a schedule does now: a pure function of its record, the time, and the sweeps that have not ended. The decision is kept first
/// (<see cref="Decided"/>, on condition of the record's ETag), then carried out (<see cref="Submit"/>, each created once under its own id),
/// then noted. Whoever dies in between leaves runs in the queue that the next one submits under the same ids.
/// </summary>
/// <param name="Decided">The record to keep before anything is submitted; the same object where nothing was decided.</param>
/// <param name="Submit">What is to be submitted.</param>
/// <param name="LeftOut">What became of times that will not run; of many missed times the last.</param>
/// <param name="Missed">How many were missed.</param>
internal sealed record ScheduleDecision(
    Schedule Decided,
    IReadOnlyList<ScheduledRun> Submit,
    IReadOnlyList<ScheduleEvent> LeftOut,
    long Missed)
{
    /// <summary>
    /// A time that is found due later than this was missed: nodes look every few seconds, but one that takes over may take half a minute.
    /// </summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    /// <summary>Whether there may be anything to decide or to submit.</summary>
    public static bool IsNeeded(Schedule schedule, DateTimeOffset now) => schedule.Queue.Count > 0 || IsDue(schedule, now);

    /// <summary>Decides.</summary>
    /// <param name="active">Ids of sweeps that have not ended, of any origin.</param>
    /// <exception cref="InputException">This machine does not know the schedule's time zone.</exception>
    public static ScheduleDecision Decide(Schedule schedule, DateTimeOffset now, IReadOnlyCollection<string> active)
    {
        var isRunning = IsRunning(schedule, active);
        var hasRoom = schedule.Queue.Count < Schedule.MaxQueue;
        if (!IsDue(schedule, now) || !hasRoom) return new ScheduleDecision(schedule, Release(schedule, isRunning), [], 0);
        var due = FindDue(schedule, now);
        var queue = schedule.Queue.ToList();
        var leftOut = due.Missed.Select(time => new ScheduleEvent(new ScheduledRun(time), ScheduleOutcome.Missed, now)).ToList();
        foreach (var run in due.Runs.Select(time => new ScheduledRun(time)))
        {
            var overlaps = isRunning || queue.Count > 0;
            if (overlaps && schedule.Overlap == ScheduleOverlap.Skip) leftOut.Add(new ScheduleEvent(run, ScheduleOutcome.Skipped, now));
            else queue.Add(run);
        }
        var decided = (schedule with { NextDue = due.Next, Queue = queue }).WithHistory(leftOut);
        return new ScheduleDecision(decided, Release(decided, isRunning), leftOut, due.MissedCount);
    }

    private static bool IsDue(Schedule schedule, DateTimeOffset now) => !schedule.IsPaused && schedule.NextDue <= now;

    /// <summary>Whether a sweep that was noted as submitted has not ended; one in the queue may have been submitted already.</summary>
    private static bool IsRunning(Schedule schedule, IReadOnlyCollection<string> active)
    {
        var queued = schedule.Queue.Select(run => run.SweepId(schedule.Name)).ToHashSet();
        return active.Any(id => ScheduledRun.IsOf(id, schedule.Name) && !queued.Contains(id));
    }

    /// <summary>What of the queue is to be submitted now. Runs that a user asked for wait for nothing.</summary>
    private static List<ScheduledRun> Release(Schedule schedule, bool isRunning)
    {
        var manual = schedule.Queue.Where(run => run.IsManual).ToList();
        if (schedule.IsPaused) return manual;
        var scheduled = schedule.Queue.Where(run => !run.IsManual);
        if (schedule.Overlap == ScheduleOverlap.Queue) scheduled = isRunning || manual.Count > 0 ? [] : scheduled.Take(1);
        return [.. manual, .. scheduled];
    }

    /// <summary>The times from the next due one until now, by the schedule's rule for missed ones.</summary>
    private static DueTimes FindDue(Schedule schedule, DateTimeOffset now)
    {
        var times = schedule.ReadTimes();
        var runs = new List<DateTimeOffset>();
        var missed = new Queue<DateTimeOffset>();
        var missedCount = 0L;
        var next = schedule.NextDue;
        var takesAll = schedule.Missed == MissedTimes.All;
        var room = Schedule.MaxQueue - schedule.Queue.Count;
        for (; next is { } time && time <= now && !(takesAll && runs.Count == room); next = times.Next(time))
        {
            if (takesAll || now - time <= Grace)
            {
                runs.Add(time);
                continue;
            }
            missed.Enqueue(time);
            missedCount++;
            if (missed.Count > Schedule.MaxHistory + 1) missed.Dequeue();
        }
        if (schedule.Missed == MissedTimes.Latest && runs.Count == 0)
        {
            runs.Add(missed.Last());
            missedCount--;
            return new DueTimes(runs, [.. missed.SkipLast(1)], missedCount, next);
        }
        return new DueTimes(runs, [.. missed], missedCount, next);
    }

    /// <param name="Runs">Those that run, unless they overlap.</param>
    /// <param name="Missed">Those that were missed, at least the last that the history keeps.</param>
    /// <param name="Next">The first time that nothing is decided about.</param>
    private sealed record DueTimes(
        IReadOnlyList<DateTimeOffset> Runs,
        IReadOnlyList<DateTimeOffset> Missed,
        long MissedCount,
        DateTimeOffset? Next);
}
