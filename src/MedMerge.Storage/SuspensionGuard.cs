namespace MedMerge.Storage;

/// <summary>
/// Notices that the whole process was stopped (a signal, a machine that was paused): the cluster has evicted it
/// meanwhile, and what it wanted to write has been decided by others. A thread of its own beats ten times a second, for
/// the pool's threads may all be at work; a longer gap than the limit trips the guard for good. Who wakes before that
/// thread does must not slip through, so every <see cref="Check"/> looks at the gap too.
/// </summary>
/// <remarks>
/// Time is the monotonic clock's: a clock that stands still while a machine is paused hides the pause, and only ETags
/// fence such a process off.
/// </remarks>
/// <param name="limit">Shorter than the cluster takes to evict a silent process, and longer than a busy machine keeps a
/// thread waiting.</param>
public sealed class SuspensionGuard(TimeSpan limit, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _tripped = new();
    private long _last = time.GetTimestamp();
    private bool _isTripped;
    private volatile bool _stopped;

    /// <summary>
    /// Cancelled once, when the guard trips; what is registered later runs at once. Whoever runs the process ends it
    /// then.
    /// </summary>
    public CancellationToken Tripped => _tripped.Token;

    /// <summary>Starts the thread that beats, until the guard trips or is disposed of.</summary>
    public void Start()
    {
        lock (_gate) _last = time.GetTimestamp();
        new Thread(() =>
        {
            while (!_stopped && Beat()) Thread.Sleep(Period);
        })
        { IsBackground = true, Name = "suspension guard", Priority = ThreadPriority.AboveNormal }.Start();
    }

    /// <summary>Shows that the process is awake.</summary>
    /// <returns>False where it was stopped for too long, now or at any time before.</returns>
    public bool Beat()
    {
        lock (_gate)
        {
            if (_isTripped) return false;
            var now = time.GetTimestamp();
            if (time.GetElapsedTime(_last, now) <= limit)
            {
                _last = now;
                return true;
            }
            _isTripped = true;
        }
        _tripped.Cancel();
        return false;
    }

    /// <summary>Beats, and throws in a process that was suspended.</summary>
    /// <exception cref="ProcessFencedException">It was stopped for too long.</exception>
    public void Check()
    {
        if (Beat()) return;
        var suspension = $"This process was suspended for more than {limit.TotalSeconds:0.#} s, so the cluster may have evicted it";
        throw new ProcessFencedException($"{suspension}; it must not write any more.");
    }

    /// <inheritdoc />
    public void Dispose() => _stopped = true;
}
