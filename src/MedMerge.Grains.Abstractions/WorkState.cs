using System.Text.Json.Serialization;

namespace MedMerge.Grains;

/// <summary>State of a sweep, a trial or a stage. In JSON, kept records included, by name.</summary>
[GenerateSerializer]
[JsonConverter(typeof(JsonStringEnumConverter<WorkState>))]
public enum WorkState
{
    /// <summary>Not begun; of a stage: its node is leaving, and another continues it.</summary>
    Waiting,

    /// <summary>Under way.</summary>
    Running,

    /// <summary>Stopped until it is resumed.</summary>
    Paused,

    /// <summary>Stopped by its user.</summary>
    Cancelled,

    /// <summary>Ended with a result; of a sweep: every trial has ended.</summary>
    Done,

    /// <summary>Ended without a result.</summary>
    Failed,

    /// <summary>Given up because several nodes died while they ran it.</summary>
    Quarantined,

    /// <summary>Of a trial: not gone on with, because a search found others better.</summary>
    StoppedEarly,

    /// <summary>The sweep's record can't be read; never kept.</summary>
    Damaged,
}
