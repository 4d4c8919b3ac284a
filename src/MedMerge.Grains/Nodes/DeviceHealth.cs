namespace MedMerge.Grains.Nodes;

/// <summary>
/// Whether this node's device works. A node whose device failed leaves the cluster instead of failing one trial after
/// the other; a new process finds out whether the device works again.
/// </summary>
public sealed class DeviceHealth
{
    private readonly CancellationTokenSource _unfit = new();

    /// <summary>Cancelled once the node is unfit.</summary>
    public CancellationToken Unfit => _unfit.Token;

    /// <summary>Why it is unfit; null while it is fit.</summary>
    public string? Reason { get; private set; }

    /// <summary>Reports a failure that occurred on this node.</summary>
    /// <returns>Whether the node is to blame.</returns>
    public bool ReportFailure(Failure failure)
    {
        if (failure.Kind != FailureKind.NodeBad) return false;
        Reason ??= failure.Reason;
        _ = _unfit.CancelAsync(); // on another thread: the node's leaving waits for the work that reports this
        return true;
    }
}
