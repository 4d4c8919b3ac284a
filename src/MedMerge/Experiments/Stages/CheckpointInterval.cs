namespace MedMerge.Experiments.Stages;

/// <summary>
/// How often a training stage keeps a checkpoint: at the end of an epoch, if so much time has passed since the last one. A checkpoint of a
/// large network takes longer to make than a short epoch, and what a crash costs is time, not epochs.
/// </summary>
/// <param name="Time">Measures it.</param>
/// <param name="Duration">Zero for a checkpoint after every epoch.</param>
internal sealed record CheckpointInterval(TimeProvider Time, TimeSpan Duration)
{
    /// <summary>30 s.</summary>
    public static readonly TimeSpan DefaultDuration = TimeSpan.FromSeconds(30);

    /// <summary>The default on the system's clock.</summary>
    public static CheckpointInterval Default { get; } = new(TimeProvider.System, DefaultDuration);
}
