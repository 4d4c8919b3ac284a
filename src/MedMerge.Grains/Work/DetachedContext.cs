using System.Diagnostics;

namespace MedMerge.Grains.Work;

/// <summary>
/// Runs work that outlives the call that starts it. That call's span and request context must not flow into everything
/// that it does for hours.
/// </summary>
internal static class DetachedContext
{
    /// <summary>Runs work without the caller's <see cref="Activity"/> and <see cref="RequestContext"/>.</summary>
    public static Task RunAsync(Func<Task> work)
    {
        Activity.Current = null;
        RequestContext.Clear();
        return work();
    }
}
