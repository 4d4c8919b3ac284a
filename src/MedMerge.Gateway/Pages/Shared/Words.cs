using System.Globalization;

namespace MedMerge.Gateway.Pages.Shared;

/// <summary>Times and lengths in words.</summary>
internal static class Words
{
    private const double SecondsPerMinute = 60, SecondsPerHour = 3600, SecondsPerDay = 86400;

    /// <summary>A length of time, rounded: <c>40 s</c>, <c>12 min</c>, <c>3.5 h</c>.</summary>
    public static string Of(double seconds) => seconds switch
    {
        < SecondsPerMinute => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(seconds):0} s"),
        < SecondsPerHour => string.Create(CultureInfo.InvariantCulture, $"{seconds / SecondsPerMinute:0} min"),
        < 2 * SecondsPerDay => string.Create(CultureInfo.InvariantCulture, $"{seconds / SecondsPerHour:0.#} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / SecondsPerDay:0.#} days"),
    };

    /// <summary>A time in UTC to the minute.</summary>
    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>A time in the zone that it has, to the minute.</summary>
    public static string InZone(DateTimeOffset time) => time.ToString("ddd yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture);
}
