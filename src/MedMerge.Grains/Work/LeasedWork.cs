using MedMerge.Training;

namespace MedMerge.Grains.Work;

/// <summary>
/// Work that runs for as long as somebody holds a lease on it: the first holder starts it, every renewal waits a moment
/// for its end, and once all leases are released or expired it is cancelled. So progress, liveness and cancellation are
/// one call, and nothing runs that nobody wants.
/// </summary>
internal sealed class LeasedWork(TimeProvider time)
{
    /// <summary>How long one renewal waits for the work's end.</summary>
    public static readonly TimeSpan RenewalTimeout = TimeSpan.FromSeconds(1);

    /// <summary>How long a lease lasts without renewal.</summary>
    public static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30);

    /// <summary>Delay before retrying work that another process runs.</summary>
    private static readonly TimeSpan StaleRetryDelay = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LeaseCheckInterval = TimeSpan.FromSeconds(5);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _holders = [];
    private readonly Dictionary<string, int> _attempts = []; // of the holders that the current run was for
    private CancellationTokenSource? _cancel;
    private ITimer? _expiry;
    private Task? _task;
    private long _ended;
    private bool _closed;

    /// <summary>
    /// Renews a lease: starts the work if it should be running and isn't, and waits a moment for its end.
    /// </summary>
    /// <returns>Running, done, failed, or waiting where the work was stopped.</returns>
    public async Task<WorkState> RenewAsync(string holder, int attempt, Func<CancellationToken, Task> work)
    {
        Task task;
        lock (_gate)
        {
            if (_closed) return WorkState.Waiting;
            _holders[holder] = time.GetTimestamp();
            var starts = ShouldStart(holder, attempt);
            if (starts) Start(work);
            task = _task!;
            if (starts || !task.IsCompleted) _attempts[holder] = Math.Max(attempt, _attempts.GetValueOrDefault(holder));
        }
        await Task.WhenAny(task, Task.Delay(RenewalTimeout, time)).ConfigureAwait(false);
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

    /// <summary>
    /// Whether the work starts, for the first time or again: after it was cancelled, after another process ran it, or
    /// after a failure. A failure is that of the attempts that were waiting for it; attempts are counted by each holder
    /// for itself, and one that comes later has failed at nothing yet.
    /// </summary>
    private bool ShouldStart(string holder, int attempt)
    {
        if (_task is null || _task.IsCanceled) return true;
        if (IsStale(_task)) return time.GetElapsedTime(_ended) > StaleRetryDelay;
        return _task.IsFaulted && attempt > _attempts.GetValueOrDefault(holder);
    }

    private static bool IsStale(Task task) => task is { IsFaulted: true, Exception.InnerExceptions: [ConcurrentWriterException] };

    /// <summary>Releases a lease; with the last one the work is cancelled.</summary>
    public void Release(string holder)
    {
        lock (_gate)
        {
            _holders.Remove(holder);
            if (_holders.Count == 0) Cancel(_cancel);
        }
    }

    /// <summary>Whether the node is leaving: what this work leases itself is another node's to continue.</summary>
    public bool IsClosed
    {
        get
        {
            lock (_gate) return _closed;
        }
    }

    /// <summary>Stops for good, because the node is leaving, and waits for the end.</summary>
    public async Task CloseAsync(CancellationToken cancellation)
    {
        Task? task;
        lock (_gate)
        {
            _closed = true;
            task = _task;
            Cancel(_cancel);
            _expiry?.Dispose();
        }
        if (task is null) return;
        await Task.WhenAny(task, Task.Delay(Timeout.Infinite, cancellation)).ConfigureAwait(false);
    }

    private void Start(Func<CancellationToken, Task> work)
    {
        var cancel = _cancel = new CancellationTokenSource();
        _attempts.Clear();
        // Off the grain's scheduler: a turn must never wait for arithmetic.
        var task = _task = Task.Run(async () =>
        {
            try
            {
                await DetachedContext.RunAsync(() => work(cancel.Token)).ConfigureAwait(false);
            }
            catch (OperationCanceledException error) when (!cancel.IsCancellationRequested)
            {
                // A client's own timeout looks like our cancellation; taken for that, the work would restart for ever and never fail.
                throw new TimeoutException($"It was cancelled from within: {error.Message}", error);
            }
            finally
            {
                _ended = time.GetTimestamp();
            }
        }, CancellationToken.None);
        _expiry?.Dispose();
        _expiry = time.CreateTimer(_ => ExpireLeases(task, cancel), null, LeaseCheckInterval, LeaseCheckInterval);
    }

    /// <summary>
    /// On another thread: continuations may run where a token is cancelled, and here that is in the grain's turn and
    /// under the lock.
    /// </summary>
    private static void Cancel(CancellationTokenSource? cancel) => _ = cancel?.CancelAsync();

    private void ExpireLeases(Task task, CancellationTokenSource cancel)
    {
        lock (_gate)
        {
            foreach (var (holder, last) in _holders.ToList())
                if (time.GetElapsedTime(last) > LeaseDuration) _holders.Remove(holder);
            if (_holders.Count == 0 && task == _task) Cancel(cancel);
            if (task.IsCompleted && task == _task) _expiry?.Dispose();
        }
    }
}
