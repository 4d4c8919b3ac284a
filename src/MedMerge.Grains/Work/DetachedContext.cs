using System.Diagnostics;

namespace MedMerge.Grains.Work;

/// <summary>
/// Work that outlives the call that begins it. It must not go on under that call's span, nor send the call's context along: both would flow into everything that it
/// does for hours.
/// </summary>
internal static class DetachedContext
{
    /// <summary>Runs it with neither.</summary>
    public static Task RunAsync(Func<Task> work)
    {
        Activity.Current = null;
        RequestContext.Clear();
        return work();
    }
}
