using System.Globalization;

namespace MedMerge.Grains.Tests.Schedules;

/// <summary>
/// Times of day on some days of a zone's calendar, counted without cron: a dropped one is just after the gap, a doubled one is the first of
/// the two.
/// </summary>
/// <param name="Weekday">Null for every day.</param>
/// <param name="Day">Of the month; null for every day.</param>
internal sealed record LocalCalendar(string Zone, TimeOnly Time, DayOfWeek? Weekday, int? Day)
{
    /// <summary>The same in cron's words.</summary>
    public string Cron => string.Create(
        CultureInfo.InvariantCulture,
        $"{Time.Minute} {Time.Hour} {Day?.ToString(CultureInfo.InvariantCulture) ?? "*"} * {(Weekday is { } day ? (int)day : "*")}");

    /// <summary>The times after one and up to another, in UTC.</summary>
    public IEnumerable<DateTimeOffset> Between(DateTimeOffset after, DateTimeOffset upTo)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(Zone);
        var first = DateOnly.FromDateTime(after.UtcDateTime).AddDays(-1);
        var last = DateOnly.FromDateTime(upTo.UtcDateTime).AddDays(1);
        for (var date = first; date <= last; date = date.AddDays(1))
        {
            if ((Weekday ?? date.DayOfWeek) != date.DayOfWeek || (Day ?? date.Day) != date.Day) continue;
            var time = ToUtc(date.ToDateTime(Time), zone);
            if (time > after && time <= upTo) yield return time;
        }
    }

    private static DateTimeOffset ToUtc(DateTime local, TimeZoneInfo zone)
    {
        while (zone.IsInvalidTime(local)) local = local.AddMinutes(1);
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }
}
