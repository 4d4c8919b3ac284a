namespace MedMerge.Cli;

/// <summary>
/// Calls to the grains of this process's own silo. An answer that does not come in time says nothing about the sweep there: the laptop
/// slept, the process was stopped, or the machine is very busy. All calls made this way may be repeated.
/// </summary>
internal static class GrainCalls
{
    /// <summary>Unanswered calls in a row after which something else is wrong. Each waits for Orleans' response timeout.</summary>
    private const int MaxAttempts = 10;

    /// <summary>Asks until there is an answer.</summary>
    /// <exception cref="TimeoutException">None came to any attempt.</exception>
    public static async Task<T> AskAsync<T>(Func<Task<T>> call, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await call().WaitAsync(cancellation);
            }
            catch (TimeoutException) when (attempt < MaxAttempts)
            {
            }
        }
    }

    /// <inheritdoc cref="AskAsync{T}" />
    public static Task AskAsync(Func<Task> call, CancellationToken cancellation) => AskAsync(
        async () =>
        {
            await call();
            return true;
        },
        cancellation);
}
