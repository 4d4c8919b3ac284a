using Orleans.Concurrency;

namespace MedMerge.Grains;

/// <summary>
/// Runs a frozen specification's trials over the cluster. Its key is the sweep's id. What it decides is in the store;
/// the grain may die and come back on any node.
/// </summary>
public interface ISweepGrain : IGrainWithStringKey
{
    /// <summary>Starts the sweep, or continues it where it was. Idempotent.</summary>
    Task StartAsync(StartSweep start);

    /// <summary>
    /// Gets the status; returns at once if it has changed since <paramref name="knownVersion"/>, otherwise long-polls.
    /// </summary>
    /// <param name="knownVersion">The <see cref="SweepStatus.Version"/> that the caller has; -1 to return at
    /// once.</param>
    [AlwaysInterleave]
    Task<SweepStatus> StatusAsync(long knownVersion);

    /// <summary>Stops the sweep until it is resumed; running stages save a checkpoint.</summary>
    [AlwaysInterleave]
    Task<SweepStatus> PauseAsync();

    /// <summary>Continues after a pause or a cancel; trials that had failed are tried again.</summary>
    [AlwaysInterleave]
    Task<SweepStatus> ResumeAsync();

    /// <summary>Ends the sweep. Results so far are kept.</summary>
    [AlwaysInterleave]
    Task<SweepStatus> CancelAsync();

    /// <summary>
    /// Invalidates a stage's stored output, because it was lost or damaged, and runs the trials that depend on it
    /// again; those of a paused or cancelled sweep once it is resumed.
    /// </summary>
    /// <param name="stage">The stage's key.</param>
    [AlwaysInterleave]
    Task<SweepStatus> RepairAsync(string stage);

    /// <summary>
    /// Starts the sweep's loop if it should be running and isn't. Every node calls this now and then: sweeps survive
    /// the loss of nodes.
    /// </summary>
    [AlwaysInterleave]
    Task WakeAsync();
}
