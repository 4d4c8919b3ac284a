using System.Runtime.ExceptionServices;

namespace MedMerge.Merging.Files;

/// <summary>A loop on several threads that fails as a plain one would: with the error itself.</summary>
internal static class ParallelLoop
{
    /// <summary>Parts of a tensor that are not worth several threads, beside other tensors' on theirs.</summary>
    private const long FewParts = 64;

    /// <summary>The same inside another such loop: on one thread if it is short.</summary>
    /// <inheritdoc cref="Run" />
    public static void RunInner(long count, ParallelOptions options, Action<long> body)
    {
        if (count > FewParts) Run(count, options, body);
        else for (var i = 0L; i < count; i++) body(i);
    }

    /// <summary>Calls <paramref name="body"/> with 0 to <paramref name="count"/> − 1.</summary>
    public static void Run(long count, ParallelOptions options, Action<long> body)
    {
        try
        {
            if (count == 1) body(0);
            else if (count > 1) Parallel.For(0, count, options, body);
        }
        catch (AggregateException error)
        {
            ExceptionDispatchInfo.Throw(error.InnerExceptions[0]);
        }
    }
}
