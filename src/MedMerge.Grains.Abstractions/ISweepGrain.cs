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
    /// <param name="knownVersion">The <see cref="SweepStatus.Version"/> that the caller has; <see cref="SweepStatus.NoVersion"/> to return
    /// at once.</param>
    [AlwaysInterleave]
    Task<SweepStatus> StatusAsync(long knownVersion);

    /// <summary>Gets some of its trials.</summary>
    [AlwaysInterleave]
    Task<TrialPage> TrialsAsync(TrialQuery query);

    /// <summary>Stops the sweep until it is resumed; running stages save a checkpoint.</summary>
    [AlwaysInterleave]
    Task<SweepStatus> PauseAsync();

    /// <summary>Continues after a pause or a cancel; trials that had failed are tried again.</summary>
    [AlwaysInterleave]
    Task<SweepStatus> ResumeAsync();

    /// <summary>Ends the sweep. Results so far are kept.</summary>
    [AlwaysInterleave]
    Task<SweepStatus> CancelAsync();

    /// <summary>Tries trials that have ended without a result again; a sweep that was done runs again.</summary>
    /// <exception cref="ArgumentException">There is no trial of such a number.</exception>
    [AlwaysInterleave]
    Task<SweepStatus> RetryAsync(TrialChoice trials);

    /// <summary>Stops a trial, or does not begin it. One that has ended stays as it is.</summary>
    /// <param name="number">From 1.</param>
    /// <exception cref="ArgumentException">There is no trial of that number.</exception>
    [AlwaysInterleave]
    Task<SweepStatus> SkipAsync(int number);

    /// <summary>Changes how much of the sweep may run. Trials that run are not stopped.</summary>
    [AlwaysInterleave]
    Task<SweepStatus> LimitAsync(SweepLimits limits);

    /// <summary>
    /// Takes a larger specification: trials that it shares with the one before keep their results, the others are new.
    /// </summary>
    /// <exception cref="ArgumentException">It lacks trials of the one before.</exception>
    [AlwaysInterleave]
    Task<SweepStatus> ExtendAsync(StartSweep extended);

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
