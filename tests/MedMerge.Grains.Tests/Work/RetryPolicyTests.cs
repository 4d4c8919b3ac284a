using MedMerge.Grains.Work;

namespace MedMerge.Grains.Tests.Work;

public sealed class RetryPolicyTests
{
    [Fact]
    public void The_pause_doubles_up_to_half_a_minute()
    {
        Assert.Equal([1, 2, 4, 8, 16, 30, 30], Enumerable.Range(1, 7).Select(attempt => RetryPolicy.BackOff(attempt).TotalSeconds));
        Assert.Equal(30, RetryPolicy.BackOff(1000).TotalSeconds);
    }

    [Theory]
    [InlineData(FailureKind.Transient)]
    [InlineData(FailureKind.NodeBad)]
    public void What_may_pass_is_tried_again_a_few_times(FailureKind kind)
    {
        var failure = new Failure(kind, "why");
        for (var attempt = 1; attempt < RetryPolicy.MaxAttempts; attempt++)
            Assert.Equal(RetryPolicy.BackOff(attempt), RetryPolicy.DelayAfter(failure, attempt));
        Assert.Null(RetryPolicy.DelayAfter(failure, RetryPolicy.MaxAttempts));
        Assert.Null(RetryPolicy.DelayAfter(failure, RetryPolicy.MaxAttempts + 1));
    }

    [Fact]
    public void What_will_come_again_is_not_tried_again() =>
        Assert.Null(RetryPolicy.DelayAfter(new Failure(FailureKind.Permanent, "why"), attempt: 1));
}
