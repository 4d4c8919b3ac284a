using MedMerge.Training;

namespace MedMerge.Grains.Work;

/// <summary>
/// Work that goes on for as long as somebody asks for it: the first to ask begins it, whoever asks waits a moment for its end, and when all have
/// released it or fallen silent it is cancelled. So progress, liveness and cancelling are one call, and nothing runs on that nobody wants.
/// </summary>
internal sealed class LeasedWork(TimeProvider time)
{
    /// <summary>How long one call waits for the end.</summary>
    public static readonly TimeSpan Wait = TimeSpan.FromSeconds(1);

    /// <summary>An holder that was silent for so long is gone.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    /// <summary>Another process is at it: this one looks again after a while.</summary>
    private static readonly TimeSpan OutpacedPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeaseCheck = TimeSpan.FromSeconds(5);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _holders = [];
    private CancellationTokenSource? _cancel;
    private ITimer? _watch;
    private Task? _task;
    private int _attempt;
    private long _ended;
    private bool _closed;

    /// <summary>Begins the work where it has not begun, or failed in an earlier attempt, and waits a moment for its end.</summary>
    /// <returns>Running, done, failed, or waiting where the work was stopped.</returns>
    public async Task<WorkState> RenewAsync(string holder, int attempt, Func<CancellationToken, Task> work)
    {
        Task task;
        lock (_gate)
        {
            if (_closed) return WorkState.Waiting;
            _holders[holder] = time.GetTimestamp();
            if (_task is null || _task.IsCanceled || (IsStale(_task) ? time.GetElapsedTime(_ended) > OutpacedPause : _task.IsFaulted && attempt > _attempt)) Begin(attempt, work);
            task = _task!;
        }
        await Task.WhenAny(task, Task.Delay(Wait, time)).ConfigureAwait(false);
        return task switch
        {
            { IsCompletedSuccessfully: true } => WorkState.Done,
            { IsFaulted: true } => IsStale(task) ? WorkState.Waiting : WorkState.Failed,
            { IsCanceled: true } => WorkState.Waiting,
            _ => WorkState.Running,
        };
    }

    /// <summary>Why the last attempt failed; null where it did not.</summary>
    public Failure? Failure
    {
        get
        {
            lock (_gate) return _task is { IsFaulted: true, Exception: var error } ? FailureClass.Of(error.InnerExceptions[0]) : null;
        }
    }

    private static bool IsStale(Task task) => task is { IsFaulted: true, Exception.InnerExceptions: [ConcurrentWriterException] };

    /// <summary>The holder needs it no longer.</summary>
    public void Release(string holder)
    {
        lock (_gate)
        {
            _holders.Remove(holder);
            if (_holders.Count == 0) Cancel(_cancel);
        }
    }

    /// <summary>Stops for good, for the node is leaving, and waits for the end.</summary>
    public async Task CloseAsync(CancellationToken cancellation)
    {
        Task? task;
        lock (_gate)
        {
            _closed = true;
            task = _task;
            Cancel(_cancel);
            _watch?.Dispose();
        }
        if (task is null) return;
        await Task.WhenAny(task, Task.Delay(Timeout.Infinite, cancellation)).ConfigureAwait(false);
    }

    private void Begin(int attempt, Func<CancellationToken, Task> work)
    {
        var cancel = _cancel = new CancellationTokenSource();
        _attempt = attempt;
        // Off the grain's scheduler: a turn must never wait for arithmetic.
        var task = _task = Task.Run(async () =>
        {
            try
            {
                await DetachedContext.RunAsync(() => work(cancel.Token)).ConfigureAwait(false);
            }
            catch (OperationCanceledException error) when (!cancel.IsCancellationRequested)
            {
                // A client's own deadline looks like our cancelling; taken for that it would begin anew for ever and never fail.
                throw new TimeoutException($"It was cancelled from within: {error.Message}", error);
            }
            finally
            {
                _ended = time.GetTimestamp();
            }
        }, CancellationToken.None);
        _watch?.Dispose();
        _watch = time.CreateTimer(_ => ExpireSilent(task, cancel), null, LeaseCheck, LeaseCheck);
    }

    /// <summary>Off this thread: what awaits the token may run on where it is cancelled, and here that is the grain's turn and under the lock.</summary>
    private static void Cancel(CancellationTokenSource? cancel) => _ = cancel?.CancelAsync();

    private void ExpireSilent(Task task, CancellationTokenSource cancel)
    {
        lock (_gate)
        {
            foreach (var (holder, last) in _holders.ToList())
                if (time.GetElapsedTime(last) > Lease) _holders.Remove(holder);
            if (_holders.Count == 0 && task == _task) Cancel(cancel);
            if (task.IsCompleted && task == _task) _watch?.Dispose();
        }
    }
}
