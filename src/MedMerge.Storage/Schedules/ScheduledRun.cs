using System.Globalization;
using System.Text.RegularExpressions;

namespace MedMerge.Storage.Schedules;

/// <summary>A time for which a schedule's specification runs.</summary>
/// <param name="Time">In UTC, to the second.</param>
/// <param name="IsManual">Whether a user asked for it, beside the scheduled times.</param>
internal sealed partial record ScheduledRun(DateTimeOffset Time, bool IsManual = false)
{
    private const string TimeFormat = "yyyyMMdd't'HHmmss'z'";
    private const string ManualSuffix = "-now";

    /// <summary>A run that a user asks for.</summary>
    public static ScheduledRun Manual(DateTimeOffset now) =>
        new(new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero), IsManual: true);

    /// <summary>
    /// The id of its sweep, such as <c>nightly-20261126t010000z</c>: the same for every node, and no other run's or submission's.
    /// </summary>
    /// <param name="schedule">The schedule's name.</param>
    public string SweepId(string schedule) =>
        $"{schedule}-{Time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture)}{(IsManual ? ManualSuffix : "")}";

    /// <summary>Whether a sweep was submitted by a schedule.</summary>
    /// <param name="sweep">The sweep's id.</param>
    /// <param name="schedule">The schedule's name.</param>
    public static bool IsOf(string sweep, string schedule) =>
        sweep.StartsWith(schedule, StringComparison.Ordinal) && EndPattern().IsMatch(sweep.AsSpan(schedule.Length));

    /// <summary>
    /// What tells the runs of a schedule apart, such as <c>20261126t010000z</c>; null where the sweep is not the schedule's.
    /// </summary>
    /// <inheritdoc cref="IsOf" path="/param" />
    public static string? FindId(string sweep, string schedule) => IsOf(sweep, schedule) ? sweep[(schedule.Length + 1)..] : null;

    [GeneratedRegex(@"\A-[0-9]{8}t[0-9]{6}z(-now)?\z")]
    private static partial Regex EndPattern();
}

/// <summary>What became of a run.</summary>
/// <param name="At">When it was decided or submitted.</param>
internal sealed record ScheduleEvent(ScheduledRun Run, ScheduleOutcome Outcome, DateTimeOffset At);
