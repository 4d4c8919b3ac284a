using MedMerge.Grains.Work;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Grains.Tests.Work;

public sealed class LeasedWorkClientTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly Failure Reason = new(FailureKind.Transient, "why");
    private readonly FakeTimeProvider _time = new();
    private readonly Queue<Func<Task<Status>>> _answers = [];
    private readonly List<WorkState> _seen = [];
    private readonly List<Exception> _unreachable = [];
    private int _calls;
    private int _releases;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Running_work_is_renewed_at_once_until_it_is_done()
    {
        Answer(WorkState.Running, WorkState.Running, WorkState.Done);

        var status = await Client().RunAsync(Cancellation).WaitAsync(Deadline, Cancellation);

        Assert.Equal(WorkState.Done, status.State);
        Assert.Equal([WorkState.Running, WorkState.Running, WorkState.Done], _seen);
        Assert.Equal(0, _releases);
    }

    [Fact]
    public async Task Failed_work_returns_its_failure()
    {
        _answers.Enqueue(() => Task.FromResult(new Status(WorkState.Failed, Reason)));

        var status = await Client().RunAsync(Cancellation).WaitAsync(Deadline, Cancellation);

        Assert.Same(Reason, status.Failure);
        Assert.Equal(0, _releases);
    }

    [Fact]
    public async Task Work_that_is_moving_is_called_again_after_a_delay()
    {
        Answer(WorkState.Waiting, WorkState.Done);

        var run = Client().RunAsync(Cancellation);
        Assert.Equal(1, _calls);
        _time.Advance(LeasedWorkClient<Status>.RetryDelay);
        await run.WaitAsync(Deadline, Cancellation);

        Assert.Equal(2, _calls);
    }

    [Fact]
    public async Task A_call_whose_node_is_gone_is_reported_and_made_again_after_a_delay()
    {
        var gone = new TimeoutException("no answer");
        _answers.Enqueue(() => Task.FromException<Status>(gone));
        Answer(WorkState.Done);

        var run = Client().RunAsync(Cancellation);
        Assert.Equal(1, _calls);
        _time.Advance(LeasedWorkClient<Status>.RetryDelay);
        await run.WaitAsync(Deadline, Cancellation);

        Assert.Equal(2, _calls);
        Assert.Same(gone, Assert.Single(_unreachable));
    }

    [Fact]
    public async Task Cancelling_releases_the_lease()
    {
        using var cancel = new CancellationTokenSource();
        Answer(WorkState.Waiting);

        var run = Client().RunAsync(cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(Deadline, Cancellation));

        Assert.Equal(1, _releases);
    }

    /// <summary>A node that leaves: the one that continues would lose the lease too, for both have the same name.</summary>
    [Fact]
    public async Task Cancelling_without_giving_the_work_up_keeps_the_lease()
    {
        using var cancel = new CancellationTokenSource();
        Answer(WorkState.Waiting);

        var run = Client(isGivenUp: () => false).RunAsync(cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(Deadline, Cancellation));

        Assert.Equal(0, _releases);
    }

    [Fact]
    public async Task Giving_up_before_a_call_releases_the_lease()
    {
        var client = Client(beforeCall: () => _calls == 1 ? throw new WorkFailedException(Reason) : Task.CompletedTask);
        Answer(WorkState.Running);

        var error = await Assert.ThrowsAsync<WorkFailedException>(() => client.RunAsync(Cancellation).WaitAsync(Deadline, Cancellation));

        Assert.Same(Reason, error.Failure);
        Assert.Equal((1, 1), (_calls, _releases));
    }

    [Fact]
    public async Task A_release_that_is_not_answered_does_not_hold_the_caller_up()
    {
        using var cancel = new CancellationTokenSource();
        Answer(WorkState.Waiting);

        var run = Client(release: () => new TaskCompletionSource().Task).RunAsync(cancel.Token);
        await cancel.CancelAsync();
        Assert.True(SpinWait.SpinUntil(() => _releases == 1, Deadline));
        while (!run.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    /// <summary>
    /// Another process that continues the work would lose its lease too, for both have the same name.
    /// </summary>
    [Fact]
    public async Task Any_other_error_is_passed_on_and_leaves_the_lease_to_expire()
    {
        Answer(WorkState.Running);
        var client = Client(onStatus: _ => throw new InvalidDataException("damaged"));

        await Assert.ThrowsAsync<InvalidDataException>(() => client.RunAsync(Cancellation).WaitAsync(Deadline, Cancellation));

        Assert.Equal(0, _releases);
    }

    private void Answer(params WorkState[] states)
    {
        foreach (var state in states) _answers.Enqueue(() => Task.FromResult(new Status(state, null)));
    }

    private LeasedWorkClient<Status> Client(
        Func<Task>? beforeCall = null,
        Func<Status, Task>? onStatus = null,
        Func<Task>? release = null,
        Func<bool>? isGivenUp = null) => new(_time)
        {
            IsGivenUp = isGivenUp ?? (() => true),
            Renew = () =>
            {
                _calls++;
                return _answers.Dequeue()();
            },
            Release = () =>
            {
                _releases++;
                return release?.Invoke() ?? Task.CompletedTask;
            },
            BeforeCall = beforeCall ?? (() => Task.CompletedTask),
            OnStatus = onStatus ?? (status =>
            {
                _seen.Add(status.State);
                return Task.CompletedTask;
            }),
            OnUnreachable = _unreachable.Add,
        };

    private sealed record Status(WorkState State, Failure? Failure) : IWorkStatus;
}
