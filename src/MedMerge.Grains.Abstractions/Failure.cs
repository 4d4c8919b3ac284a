namespace MedMerge.Grains;

/// <summary>What to do about a failure.</summary>
[GenerateSerializer]
public enum FailureKind
{
    /// <summary>May go away: tried again after a pause.</summary>
    Transient,

    /// <summary>Will come again: never tried again.</summary>
    Permanent,

    /// <summary>The node is unfit: tried again elsewhere.</summary>
    NodeBad,
}

/// <summary>Why something failed.</summary>
/// <param name="Reason">The error's own words.</param>
[GenerateSerializer, Immutable]
public sealed record Failure([property: Id(0)] FailureKind Kind, [property: Id(1)] string Reason);
