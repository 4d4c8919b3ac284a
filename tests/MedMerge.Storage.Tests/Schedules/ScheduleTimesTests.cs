using MedMerge.Storage.Schedules;

namespace MedMerge.Storage.Tests.Schedules;

public sealed class ScheduleTimesTests
{
    [Theory]
    [InlineData("0 2 * * 1-5", "minute '0'", null)]
    [InlineData("60 2 * * *", "minute '60'", "0-59")]
    [InlineData("0 24 * * *", "hour '24'", "0-23")]
    [InlineData("0 2 32 * *", "day of month '32'", "1-31")]
    [InlineData("0 2 * 13 *", "month '13'", "1-12 or JAN-DEC")]
    [InlineData("0 2 * * MOON", "day of week 'MOON'", "0-7 or SUN-SAT")]
    [InlineData("x 2 * * 9", "minute 'x'", "0-59")]
    [InlineData("0 2 * *", "must have five fields", "")]
    [InlineData("0 0 2 * * *", "must have five fields", "")]
    [InlineData("@daily", "must have five fields", "")]
    [InlineData("", "must have five fields", "")]
    public void A_wrong_expression_is_refused_with_the_field(string cron, string field, string? values)
    {
        if (values is null)
        {
            ScheduleTimes.CheckCron(cron);
            return;
        }
        var error = Assert.Throws<InputException>(() => ScheduleTimes.Read(cron, "UTC"));
        Assert.Contains(field, error.Message, StringComparison.Ordinal);
        Assert.Contains(values, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("Europe/Atlantis")]
    [InlineData("../Europe/Berlin")]
    [InlineData("/etc/localtime")]
    [InlineData("")]
    public void An_unknown_zone_is_refused(string zone)
    {
        var error = Assert.Throws<InputException>(() => ScheduleTimes.Read("0 2 * * *", zone));
        Assert.Contains($"There is no time zone '{zone}'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_long_expression_the_message_shows_the_start()
    {
        var error = Assert.Throws<InputException>(() => ScheduleTimes.CheckCron(new string('1', 100_000) + " * * * *"));
        Assert.True(error.Message.Length < 400, error.Message);
    }

    /// <summary>2026-03-29: 02:00 to 03:00 is dropped. 2026-10-25: 02:00 to 03:00 is doubled.</summary>
    [Theory]
    [InlineData("30 2 * * *", "2026-03-28T12:00Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z")] // just after the gap
    [InlineData("30 2 * * *", "2026-10-24T12:00Z", "2026-10-25T00:30Z", "2026-10-26T01:30Z")] // the first of the two
    [InlineData("0 3 * * *", "2026-10-24T12:00Z", "2026-10-25T02:00Z", "2026-10-26T02:00Z")]
    [InlineData("30 2,3 * * *", "2026-10-24T12:00Z", "2026-10-25T00:30Z", "2026-10-25T02:30Z")]
    [InlineData("30 * * * *", "2026-10-25T00:00Z", "2026-10-25T00:30Z", "2026-10-25T01:30Z")] // an interval continues
    [InlineData("30 * * * *", "2026-03-29T00:00Z", "2026-03-29T00:30Z", "2026-03-29T01:00Z", "2026-03-29T01:30Z")] // the dropped one too
    public void Changes_of_daylight_saving_neither_drop_nor_double_a_time(string cron, string after, params string[] expected)
    {
        var times = ScheduleTimes.Read(cron, "Europe/Berlin");
        var time = DateTimeOffset.Parse(after, null);
        foreach (var next in expected)
        {
            time = times.Next(time)!.Value;
            Assert.Equal(DateTimeOffset.Parse(next, null), time);
            Assert.Equal(TimeSpan.Zero, time.Offset);
        }
    }

    [Fact]
    public void A_time_that_never_comes_has_no_next() =>
        Assert.Null(ScheduleTimes.Read("0 0 30 2 *", "UTC").Next(DateTimeOffset.UnixEpoch));
}
