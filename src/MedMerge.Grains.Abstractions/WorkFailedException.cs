namespace MedMerge.Grains;

/// <summary>
/// A piece of work failed, and the failure is in the log already. Unlike other exceptions it crosses silos with its
/// failure.
/// </summary>
[GenerateSerializer]
public sealed class WorkFailedException(Failure failure) : Exception(failure.Description)
{
    /// <summary>Why, and what to do about it.</summary>
    [Id(0)]
    public Failure Failure { get; } = failure;
}
