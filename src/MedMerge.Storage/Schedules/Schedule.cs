using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace MedMerge.Storage.Schedules;

/// <summary>A specification that runs again at fixed times; a record in the store.</summary>
/// <param name="Name">The schedule's.</param>
/// <param name="Title">The specification's name: as the sweeps are shown to people.</param>
/// <param name="Specification">SHA-256 of the frozen specification.</param>
/// <param name="Plan">SHA-256 of the plan's summary, as it was when the schedule was added.</param>
/// <param name="PlannedBy">The <see cref="CodeVersion"/> that made this plan: another one may plan other stages.</param>
/// <param name="Inputs">SHA-256 of the files that the specification names.</param>
/// <param name="Cron">Minute, hour, day of month, month, day of week.</param>
/// <param name="Zone">IANA name of the time zone.</param>
/// <param name="NextDue">The next time in UTC that nothing was decided about yet; null where there is none any more.</param>
/// <param name="Queue">What is decided to run and not known to be submitted, in order.</param>
/// <param name="History">What became of the last times, oldest first; at most <see cref="MaxHistory"/>.</param>
internal sealed partial record Schedule(
    string Name,
    string Title,
    string Specification,
    string Plan,
    string PlannedBy,
    IReadOnlyList<string> Inputs,
    string Cron,
    string Zone,
    MissedTimes Missed,
    ScheduleOverlap Overlap,
    bool IsPaused,
    DateTimeOffset? NextDue,
    IReadOnlyList<ScheduledRun> Queue,
    IReadOnlyList<ScheduleEvent> History)
{
    /// <summary>How many times the history keeps.</summary>
    public const int MaxHistory = 20;

    /// <summary>How many runs may wait; more times stay undecided until there is room.</summary>
    public const int MaxQueue = 100;

    /// <summary>
    /// Whether each run computes all its stages, also those whose outputs the store has: so that scores and times are those of the code
    /// that runs.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Recomputes { get; init; }

    /// <summary>Checks a name: it is part of objects' names and of the sweeps' ids.</summary>
    /// <exception cref="InputException">It is not one.</exception>
    public static void CheckName(string name)
    {
        if (IsName(name)) return;
        throw new InputException(
            $"'{name}' can't be a schedule's name: it must have 1 to 40 lower-case letters, digits and hyphens, " +
            "and not begin with a hyphen.");
    }

    /// <summary>Whether a text is a schedule's name.</summary>
    public static bool IsName(string name) => NamePattern().IsMatch(name);

    /// <summary>The times at which it is due.</summary>
    /// <exception cref="InputException">This machine does not know the zone.</exception>
    public ScheduleTimes ReadTimes() => ScheduleTimes.Read(Cron, Zone);

    /// <summary>The record while it is paused: only runs that a user asks for are submitted.</summary>
    public Schedule Paused() => IsPaused ? this : this with { IsPaused = true };

    /// <summary>The record once it is no longer paused. Times of the pause are left out.</summary>
    public Schedule Resumed(DateTimeOffset now)
    {
        if (!IsPaused) return this;
        var isPast = NextDue <= now;
        return this with { IsPaused = false, NextDue = isPast ? ReadTimes().Next(now) : NextDue };
    }

    /// <summary>The record with a run that a user asks for.</summary>
    /// <exception cref="InputException">Too many wait.</exception>
    public Schedule WithManual(ScheduledRun run)
    {
        if (Queue.Contains(run) || History.Any(its => its.Run == run)) return this; // asked twice within a second
        if (Queue.Count >= MaxQueue) throw new InputException($"{Queue.Count} runs of the schedule '{Name}' wait already.");
        return this with { Queue = [.. Queue, run] };
    }

    /// <summary>The record once runs were submitted; those that are no longer in the queue were noted before.</summary>
    public Schedule Submitted(IReadOnlyList<ScheduledRun> runs, DateTimeOffset now)
    {
        var noted = Queue.Where(runs.Contains).ToList();
        if (noted.Count == 0) return this;
        return (this with { Queue = [.. Queue.Except(noted)] })
            .WithHistory(noted.Select(run => new ScheduleEvent(run, ScheduleOutcome.Fired, now)));
    }

    /// <summary>The record with what became of some times.</summary>
    public Schedule WithHistory(IEnumerable<ScheduleEvent> events) =>
        this with { History = [.. History.Concat(events).TakeLast(MaxHistory)] };

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,39}\z")]
    private static partial Regex NamePattern();
}
