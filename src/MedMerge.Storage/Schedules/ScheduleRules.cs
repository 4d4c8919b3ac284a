using System.Text.Json.Serialization;

namespace MedMerge.Storage.Schedules;

/// <summary>What becomes of times at which no node ran. In JSON, kept records included, by name.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MissedTimes>))]
public enum MissedTimes
{
    /// <summary>The latest of them runs.</summary>
    Latest,

    /// <summary>All of them run.</summary>
    All,

    /// <summary>None of them runs.</summary>
    None,
}

/// <summary>What becomes of a time at which an earlier sweep of the schedule has not ended. In JSON by name.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ScheduleOverlap>))]
public enum ScheduleOverlap
{
    /// <summary>It is left out.</summary>
    Skip,

    /// <summary>It waits until the earlier one has ended.</summary>
    Queue,

    /// <summary>It runs beside the earlier one.</summary>
    Allow,
}

/// <summary>What became of a time. In JSON by name.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ScheduleOutcome>))]
public enum ScheduleOutcome
{
    /// <summary>Its sweep was submitted.</summary>
    Fired,

    /// <summary>It was left out, because an earlier sweep had not ended.</summary>
    Skipped,

    /// <summary>It was left out, because no node ran at that time.</summary>
    Missed,
}
