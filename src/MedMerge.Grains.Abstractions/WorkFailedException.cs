namespace MedMerge.Grains;

/// <summary>A piece of work failed. It crosses silos with its class and its reason, which other exceptions of ours do not.</summary>
[GenerateSerializer]
public sealed class WorkFailedException(Failure failure) : Exception(failure.Reason)
{
    /// <summary>Why, and what to do about it.</summary>
    [Id(0)]
    public Failure Failure { get; } = failure;
}
