using Orleans.Concurrency;

namespace MedMerge.Grains;

/// <summary>
/// Runs a frozen specification's trials over the cluster. Its key is the sweep's id. What it decides is in the store; the grain may die and
/// come back on any node.
/// </summary>
public interface ISweepGrain : IGrainWithStringKey
{
    /// <summary>Begins, or goes on where it was: asking twice is asking once.</summary>
    Task StartAsync(StartSweep start);

    /// <summary>Where it is. Answers at once where something has changed since <paramref name="knownVersion"/>, otherwise after a while.</summary>
    /// <param name="knownVersion">The <see cref="SweepStatus.Version"/> that the caller knows; -1 for an answer at once.</param>
    [AlwaysInterleave]
    Task<SweepStatus> StatusAsync(long knownVersion);

    /// <summary>Lets no trial go on: stages under way stop and go on from their last checkpoint later.</summary>
    [AlwaysInterleave]
    Task<SweepStatus> PauseAsync();

    /// <summary>Goes on after a pause or a cancel; trials that had failed are tried again.</summary>
    [AlwaysInterleave]
    Task<SweepStatus> ResumeAsync();

    /// <summary>Ends it for good. Results so far are kept.</summary>
    [AlwaysInterleave]
    Task<SweepStatus> CancelAsync();

    /// <summary>Computes a stage's output again that was lost or found damaged: the trials that it belongs to run again, and what else is in the store is kept.</summary>
    /// <param name="stage">The stage's key.</param>
    [AlwaysInterleave]
    Task<SweepStatus> RepairAsync(string stage);

    /// <summary>Goes on where the store says it was; called by every node now and then, so that a sweep outlives its node.</summary>
    [AlwaysInterleave]
    Task WakeAsync();
}
