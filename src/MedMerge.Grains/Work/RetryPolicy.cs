namespace MedMerge.Grains.Work;

/// <summary>Decides about a failed attempt.</summary>
internal static class RetryPolicy
{
    /// <summary>Attempts before a failure that seemed to pass is taken as lasting.</summary>
    public const int MaxAttempts = 5;

    /// <summary>What can't be reached for so long, though nodes with its device are there, fails the attempt.</summary>
    public static readonly TimeSpan OutOfReach = TimeSpan.FromMinutes(3);

    /// <summary>A trial under which so many nodes died is left out.</summary>
    public const int MaxNodeDeaths = 3;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1), MaxDelay = TimeSpan.FromSeconds(30);

    /// <summary>The pause before the next attempt, or null where there is none.</summary>
    /// <param name="attempt">The one that failed, from 1.</param>
    public static TimeSpan? After(Failure failure, int attempt) =>
        failure.Kind == FailureKind.Permanent || attempt >= MaxAttempts ? null : Back(attempt);

    /// <summary>Doubles from a second to half a minute.</summary>
    public static TimeSpan Back(int attempt) => TimeSpan.FromTicks(Math.Min(MaxDelay.Ticks, FirstDelay.Ticks << Math.Min(attempt - 1, 10)));
}
