using MedMerge.Grains.Work;
using MedMerge.Training;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Grains.Tests.Work;

public sealed class LeasedWorkTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly FakeTimeProvider _time = new();
    private readonly LeasedWork _work;
    private readonly List<Run> _runs = [];

    public LeasedWorkTests() => _work = new LeasedWork(_time);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_who_ask_begin_it_once_and_both_hear_of_its_end()
    {
        Assert.Equal(WorkState.Running, await RenewAsync("a"));
        Assert.Equal(WorkState.Running, await RenewAsync("b"));
        var (a, b) = (_work.RenewAsync("a", 1, WorkAsync), _work.RenewAsync("b", 1, WorkAsync));
        Assert.False(a.IsCompleted); // it waits a moment for the end
        _runs.Single().End.SetResult();
        Assert.Equal([WorkState.Done, WorkState.Done], await Task.WhenAll(a, b).WaitAsync(Deadline, Cancellation));
        Assert.Equal(WorkState.Done, await RenewAsync("c"));
        Assert.Single(_runs);
        Assert.Null(_work.Failure);
    }

    [Fact]
    public async Task It_goes_on_while_one_of_two_keeps_asking()
    {
        await RenewAsync("a");
        await RenewAsync("b");
        for (var passed = TimeSpan.Zero; passed < LeasedWork.LeaseDuration * 3; passed += LeasedWork.LeaseDuration / 2)
        {
            _time.Advance(LeasedWork.LeaseDuration / 2);
            Assert.Equal(WorkState.Running, await RenewAsync("b"));
        }
        Assert.False(_runs.Single().Cancellation.IsCancellationRequested);
    }

    [Fact]
    public async Task When_all_are_silent_for_the_lease_it_is_cancelled_and_who_asks_again_begins_anew()
    {
        await RenewAsync("a");
        _time.Advance(LeasedWork.LeaseDuration - TimeSpan.FromSeconds(5));
        Assert.False(_runs.Single().Cancellation.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(_runs.Single().Cancellation.IsCancellationRequested);
        await _runs.Single().Ended.Task.WaitAsync(Deadline, Cancellation);
        await BeginAnewAsync("b", attempt: 1);
    }

    [Fact]
    public async Task The_last_to_release_it_cancels_it()
    {
        await RenewAsync("a");
        await RenewAsync("b");
        _work.Release("a");
        _work.Release("a"); // twice is once
        Assert.False(_runs.Single().Cancellation.IsCancellationRequested);
        _work.Release("b");
        Assert.True(_runs.Single().Cancellation.IsCancellationRequested);
        await _runs.Single().Ended.Task.WaitAsync(Deadline, Cancellation);
        Assert.Null(_work.Failure); // stopped is not failed
        await BeginAnewAsync("c", attempt: 1);
    }

    [Fact]
    public async Task Releasing_never_runs_the_works_own_end_on_the_callers_thread()
    {
        var thread = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var hold = _work.RenewAsync("a", 1, async cancellation =>
        {
            var stopped = new TaskCompletionSource(); // its continuation runs where it is ended
            await using var registration = cancellation.Register(stopped.SetResult);
            begun.SetResult();
            await stopped.Task;
            thread.SetResult(Environment.CurrentManagedThreadId);
        });
        await begun.Task.WaitAsync(Deadline, Cancellation);
        var caller = 0;
        var release = new Thread(() =>
        {
            caller = Environment.CurrentManagedThreadId;
            _work.Release("a");
            thread.Task.Wait(Deadline); // so that its number is not given to another
        });
        release.Start();
        Assert.NotEqual(0, await thread.Task.WaitAsync(Deadline, Cancellation));
        release.Join();
        Assert.NotEqual(caller, await thread.Task);
        await hold;
    }

    [Fact]
    public async Task A_failure_lasts_within_an_attempt_and_a_higher_one_begins_anew()
    {
        await RenewAsync("a", attempt: 2);
        _runs.Single().End.SetException(new IOException("disk full"));
        Settle();
        foreach (var attempt in new[] { 2, 1, 2 }) Assert.Equal(WorkState.Failed, await RenewAsync("a", attempt));
        Assert.Equal(new Failure(FailureKind.Transient, "IOException: disk full"), _work.Failure);
        await BeginAnewAsync("a", attempt: 3);
        Assert.Null(_work.Failure);
    }

    /// <summary>Trials count their attempts each for itself, and share their stages.</summary>
    [Fact]
    public async Task A_failure_is_that_of_all_who_waited_for_the_end_and_of_nobody_who_comes_later()
    {
        await RenewAsync("a", attempt: 5);
        await RenewAsync("b", attempt: 1);
        _runs.Single().End.SetException(new IOException("disk full"));
        Settle();
        Assert.Equal(WorkState.Failed, await RenewAsync("a", attempt: 5));
        Assert.Equal(WorkState.Failed, await RenewAsync("b", attempt: 1));
        Assert.Single(_runs);
        await BeginAnewAsync("c", attempt: 1);
        Assert.Equal(WorkState.Running, await RenewAsync("b", attempt: 1));
        Assert.Equal(2, _runs.Count);
    }

    [Fact]
    public async Task Work_that_cancels_itself_has_failed()
    {
        await RenewAsync("a");
        _runs.Single().End.SetException(new TaskCanceledException("the client's deadline")); // as HTTP clients do
        Settle();
        Assert.Equal(WorkState.Failed, await RenewAsync("a"));
        Assert.Equal(FailureKind.Transient, _work.Failure!.Kind);
        Assert.Contains("the client's deadline", _work.Failure.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outpaced_work_waits_and_looks_again_after_a_pause()
    {
        await RenewAsync("a");
        _runs.Single().End.SetException(new ConcurrentWriterException("another is at it"));
        Settle();
        Assert.Equal(WorkState.Waiting, await RenewAsync("a", attempt: 2)); // a second has passed since
        Assert.Single(_runs);
        _time.Advance(TimeSpan.FromSeconds(5));
        await BeginAnewAsync("a", attempt: 1);
    }

    [Fact]
    public async Task Closed_it_stops_and_lets_everybody_wait()
    {
        await RenewAsync("a");
        await _work.CloseAsync(Cancellation).WaitAsync(Deadline, Cancellation);
        Assert.True(_runs.Single().Ended.Task.IsCompleted);
        Assert.Equal(WorkState.Waiting, await RenewAsync("a", attempt: 2));
        Assert.Single(_runs);
    }

    [Fact]
    public async Task Closing_waits_no_longer_than_it_may()
    {
        var stuck = new TaskCompletionSource();
        var hold = _work.RenewAsync("a", 1, _ => stuck.Task);
        using var soon = new CancellationTokenSource();
        var close = _work.CloseAsync(soon.Token);
        Assert.False(close.IsCompleted);
        await soon.CancelAsync();
        await close.WaitAsync(Deadline, Cancellation);
        stuck.SetResult();
        await hold;
    }

    /// <summary>Asks, and lets the moment pass that a call waits for the end.</summary>
    private async Task<WorkState> RenewAsync(string holder, int attempt = 1)
    {
        var known = _runs.Count;
        var hold = _work.RenewAsync(holder, attempt, WorkAsync);
        if (known == 0)
            Assert.True(SpinWait.SpinUntil(() => { lock (_runs) return _runs.Count > 0; }, Deadline)); // it begins on a thread of its own
        _time.Advance(LeasedWork.RenewalTimeout);
        return await hold.WaitAsync(Deadline, Cancellation);
    }

    /// <summary>Waits for the end without letting time pass: a call after it answers at once.</summary>
    private void Settle() => Assert.True(SpinWait.SpinUntil(() => _work.RenewAsync("a", 1, WorkAsync).IsCompleted, Deadline));

    private async Task BeginAnewAsync(string holder, int attempt)
    {
        // The task may end a moment after the work.
        Assert.True(SpinWait.SpinUntil(() =>
        {
            _ = _work.RenewAsync(holder, attempt, WorkAsync);
            lock (_runs) return _runs.Count == 2;
        }, Deadline));
        Assert.Equal(WorkState.Running, await RenewAsync(holder, attempt));
        Assert.Equal(2, _runs.Count);
        Assert.False(_runs[1].Cancellation.IsCancellationRequested);
    }

    private async Task WorkAsync(CancellationToken cancellation)
    {
        var run = new Run(cancellation);
        lock (_runs) _runs.Add(run);
        try
        {
            await run.End.Task.WaitAsync(cancellation);
        }
        finally
        {
            run.Ended.SetResult();
        }
    }

    private sealed record Run(CancellationToken Cancellation)
    {
        public TaskCompletionSource End { get; } = new();

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
