using System.Text.RegularExpressions;
using Cronos;

namespace MedMerge.Storage.Schedules;

/// <summary>
/// The times of a cron expression of five fields in a time zone. Where clocks are put forward, the times that are dropped come due once,
/// just after the gap. Where they are put back, a time of day in the doubled hour comes due once, the first time; an interval (a field with
/// <c>*</c>, a range or a step for minute or hour) continues evenly through both hours.
/// </summary>
internal sealed partial class ScheduleTimes
{
    private const int MaxLength = 100;

    private static readonly (string Name, string Values)[] Fields =
    [
        ("minute", "0-59"),
        ("hour", "0-23"),
        ("day of month", "1-31"),
        ("month", "1-12 or JAN-DEC"),
        ("day of week", "0-7 or SUN-SAT"),
    ];

    private readonly CronExpression _cron;
    private readonly TimeZoneInfo _zone;

    private ScheduleTimes(CronExpression cron, TimeZoneInfo zone)
    {
        _cron = cron;
        _zone = zone;
    }

    /// <summary>Reads an expression and a zone.</summary>
    /// <param name="zone">Its IANA name.</param>
    /// <exception cref="InputException">One can't be understood; the message names the field.</exception>
    public static ScheduleTimes Read(string cron, string zone)
    {
        CheckCron(cron);
        if (!ZonePattern().IsMatch(zone) || !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found))
            throw new InputException($"There is no time zone '{zone}'. Give an IANA name, such as Europe/Berlin or UTC.");
        return new ScheduleTimes(CronExpression.Parse(cron), found);
    }

    /// <summary>Checks an expression.</summary>
    /// <exception cref="InputException">It can't be understood; the message names the field.</exception>
    public static void CheckCron(string cron)
    {
        var fields = cron.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != Fields.Length || cron.Length > MaxLength)
        {
            throw new InputException(
                $"The cron expression '{Shorten(cron)}' must have five fields (minute, hour, day of month, month, day of week) " +
                $"and at most {MaxLength} characters.");
        }
        for (var i = 0; i < Fields.Length; i++)
        {
            if (IsValid(i, fields[i])) continue;
            throw new InputException(
                $"The {Fields[i].Name} '{fields[i]}' of the cron expression '{cron}' is wrong: " +
                $"give {Fields[i].Values}, or * for all; lists (1,5), ranges (1-5) and steps (*/5) are allowed.");
        }
    }

    /// <summary>The first time after another, in UTC; null where there is none.</summary>
    public DateTimeOffset? Next(DateTimeOffset after) => _cron.GetNextOccurrence(after, _zone)?.ToUniversalTime();

    /// <summary>A time as clocks of the zone show it.</summary>
    public DateTimeOffset ToLocal(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, _zone);

    private static bool IsValid(int field, string text)
    {
        var expression = Fields.Select((_, i) => i == field ? text : "*");
        return CronExpression.TryParse(string.Join(' ', expression), out _);
    }

    private static string Shorten(string text) => text.Length <= MaxLength ? text : text[..MaxLength] + "…";

    [GeneratedRegex(@"\A[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*\z")]
    private static partial Regex ZonePattern();
}
