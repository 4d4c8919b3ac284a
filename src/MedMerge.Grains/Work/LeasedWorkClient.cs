namespace MedMerge.Grains.Work;

/// <summary>
/// The leaseholder's side of <see cref="LeasedWork"/>: calls the work's grain until the work has ended. A call that
/// fails because its node is gone is made again: the cluster then starts the grain on another node. Giving the work up
/// releases the lease.
/// </summary>
internal sealed class LeasedWorkClient<TStatus>(TimeProvider time)
    where TStatus : class, IWorkStatus
{
    /// <summary>
    /// Delay before the next call where the last one could not be answered, or the work is moving to another node.
    /// </summary>
    public static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan ReleaseTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Renews the lease, starts the work if it isn't running, and returns its status after a second at most.
    /// </summary>
    public required Func<Task<TStatus>> Renew { get; init; }

    /// <summary>Gives the lease up.</summary>
    public required Func<Task> Release { get; init; }

    /// <summary>Called before every call; may throw a <see cref="WorkFailedException"/> to give the work up.</summary>
    public Func<Task> BeforeCall { get; init; } = () => Task.CompletedTask;

    /// <summary>Called with every status.</summary>
    public Func<TStatus, Task> OnStatus { get; init; } = _ => Task.CompletedTask;

    /// <summary>
    /// Called where a call failed because its node is gone; may throw a <see cref="WorkFailedException"/> to give the
    /// work up.
    /// </summary>
    public Action<Exception> OnUnreachable { get; init; } = _ => { };

    /// <summary>
    /// Whether cancelling gives the work up. Where it does not, because this process leaves and another continues, the
    /// work runs on: the other renews the lease, or it expires.
    /// </summary>
    public Func<bool> IsGivenUp { get; init; } = () => true;

    /// <summary>Waits for the work's end.</summary>
    /// <returns>Its last status: done or failed.</returns>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public async Task<TStatus> RunAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                await BeforeCall().ConfigureAwait(false);
                var status = await TryRenewAsync().ConfigureAwait(false);
                if (status is not null) await OnStatus(status).ConfigureAwait(false);
                if (status is { HasEnded: true }) return status;
                if (status is not { State: WorkState.Running }) await Task.Delay(RetryDelay, time, cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is WorkFailedException || (error is OperationCanceledException && IsGivenUp()))
        {
            await TryReleaseAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<TStatus?> TryRenewAsync()
    {
        try
        {
            return await Renew().ConfigureAwait(false);
        }
        catch (Exception error) when (FailureClass.IsNodeGone(error))
        {
            OnUnreachable(error);
            return null;
        }
    }

    private async Task TryReleaseAsync()
    {
        try
        {
            await Release().WaitAsync(ReleaseTimeout, time).ConfigureAwait(false);
        }
        catch (Exception error) when (FailureClass.IsNodeGone(error))
        {
            // Nobody renews the lease any more: it expires by itself.
        }
    }
}
