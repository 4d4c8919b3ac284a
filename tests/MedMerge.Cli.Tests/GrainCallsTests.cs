namespace MedMerge.Cli.Tests;

/// <summary>Calls that get no answer, as after a laptop's sleep.</summary>
public class GrainCallsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_call_without_an_answer_is_made_again()
    {
        var calls = 0;

        var answer = await GrainCalls.AskAsync(() => ++calls < 3 ? throw new TimeoutException() : Task.FromResult(calls), Cancellation);

        Assert.Equal(3, answer);
    }

    [Fact]
    public async Task It_is_given_up_in_the_end_and_other_errors_at_once()
    {
        var calls = 0;
        await Assert.ThrowsAsync<TimeoutException>(() => GrainCalls.AskAsync(() => Fail(new TimeoutException()), Cancellation));
        Assert.InRange(calls, 2, 100);

        calls = 0;
        await Assert.ThrowsAsync<InputException>(() => GrainCalls.AskAsync(() => Fail(new InputException("no")), Cancellation));
        Assert.Equal(1, calls);

        Task Fail(Exception error)
        {
            calls++;
            return Task.FromException(error);
        }
    }
}
