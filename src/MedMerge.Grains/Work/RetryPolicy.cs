namespace MedMerge.Grains.Work;

/// <summary>Decides what follows a failed attempt.</summary>
internal static class RetryPolicy
{
    /// <summary>Attempts before a transient failure is taken for a permanent one.</summary>
    public const int MaxAttempts = 5;

    /// <summary>A trial under which nodes died so often is quarantined.</summary>
    public const int MaxNodeDeaths = 3;

    /// <summary>A stage that can't be reached for so long, though nodes have its device, fails the attempt.</summary>
    public static readonly TimeSpan UnreachableTimeout = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(30);

    /// <summary>The delay before the next attempt, or null where there is none.</summary>
    /// <param name="attempt">The one that failed, from 1.</param>
    public static TimeSpan? DelayAfter(Failure failure, int attempt) =>
        failure.Kind == FailureKind.Permanent || attempt >= MaxAttempts ? null : BackOff(attempt);

    /// <summary>Doubles from a second to half a minute.</summary>
    public static TimeSpan BackOff(int attempt) =>
        TimeSpan.FromTicks(Math.Min(MaxDelay.Ticks, FirstDelay.Ticks << Math.Min(attempt - 1, 10)));
}
