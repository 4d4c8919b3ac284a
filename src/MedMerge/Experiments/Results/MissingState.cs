namespace MedMerge.Experiments.Results;

/// <summary>Why a planned trial has no result.</summary>
internal enum MissingState
{
    /// <summary>It has not ended, or was never begun.</summary>
    NotFinished,

    /// <summary>It ended without one.</summary>
    Failed,

    /// <summary>A search found others better, and stopped it.</summary>
    StoppedEarly,

    /// <summary>A user or a spent budget left it out.</summary>
    Cancelled,
}
