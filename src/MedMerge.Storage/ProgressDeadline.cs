namespace MedMerge.Storage;

/// <summary>A deadline that every sign of progress renews.</summary>
internal sealed class ProgressDeadline : IDisposable
{
    private readonly CancellationTokenSource _expired;
    private readonly CancellationTokenSource _linked;
    private readonly CancellationToken _caller;

    /// <param name="caller">Cancels as well.</param>
    public ProgressDeadline(TimeSpan limit, TimeProvider time, CancellationToken caller)
    {
        Limit = limit;
        _caller = caller;
        _expired = new CancellationTokenSource(limit, time);
        _linked = CancellationTokenSource.CreateLinkedTokenSource(_expired.Token, caller);
    }

    /// <summary>How long there may be no progress.</summary>
    public TimeSpan Limit { get; }

    /// <summary>Cancelled at the deadline, or by the caller.</summary>
    public CancellationToken Token => _linked.Token;

    /// <summary>Whether it was the deadline.</summary>
    public bool HasPassed => _expired.IsCancellationRequested && !_caller.IsCancellationRequested;

    /// <summary>There was progress.</summary>
    public void Renew() => _expired.CancelAfter(Limit);

    /// <inheritdoc />
    public void Dispose()
    {
        _linked.Dispose();
        _expired.Dispose();
    }
}
