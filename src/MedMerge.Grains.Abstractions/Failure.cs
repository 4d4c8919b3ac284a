using System.Text.Json.Serialization;

namespace MedMerge.Grains;

/// <summary>What to do about a failure. In JSON, kept records included, by name.</summary>
[GenerateSerializer]
[JsonConverter(typeof(JsonStringEnumConverter<FailureKind>))]
public enum FailureKind
{
    /// <summary>May pass: retried after a delay.</summary>
    Transient,

    /// <summary>Will recur: never retried.</summary>
    Permanent,

    /// <summary>The node is unfit: retried elsewhere.</summary>
    NodeBad,
}

/// <summary>Why something failed.</summary>
/// <param name="Reason">The error's message, with its type where the error was unexpected.</param>
/// <param name="Origin">Where the exception was logged with its stack; null for bad input, which needs none.</param>
[GenerateSerializer, Immutable]
public sealed record Failure(
    [property: Id(0)] FailureKind Kind,
    [property: Id(1)] string Reason,
    [property: Id(2)] FailureOrigin? Origin = null)
{
    /// <summary>The reason, and which log to look into.</summary>
    public string Description => Origin is null ? Reason : $"{Reason} (log of node {Origin.Node} at {Origin.Time:u})";
}

/// <summary>Where and when an exception was logged.</summary>
/// <param name="Node">The silo, as <see cref="StageProgress.Node"/> names it.</param>
[GenerateSerializer, Immutable]
public sealed record FailureOrigin([property: Id(0)] string Node, [property: Id(1)] DateTimeOffset Time);
