using MedMerge.Storage;

namespace MedMerge.Grains.Running;

/// <summary>Which trials of a sweep begin next: a function of its record alone, the same on every node.</summary>
internal static class SweepSchedule
{
    private const double SecondsPerHour = 3600;

    /// <summary>The trials to begin: those first that had begun when the sweep's node died, then those that wait, by number.</summary>
    /// <param name="supervised">Trials that this node runs already.</param>
    /// <param name="lanes">How many the cluster has for the sweep.</param>
    public static IReadOnlyList<int> Next(SweepRecord sweep, IReadOnlySet<int> supervised, int lanes)
    {
        if (sweep.State != WorkState.Running || lanes == 0) return [];
        var places = (sweep.Limits?.Parallel ?? lanes) - supervised.Count;
        var begun = sweep.Trials.Running.Where(number => !supervised.Contains(number)).Take(Math.Max(0, places)).ToList();
        places -= begun.Count;
        if (places <= 0 || IsBudgetSpent(sweep)) return begun;
        var allowed = sweep.Limits?.Trials - Begun(sweep) - supervised.Count(number => sweep.Trials.Startable.Contains(number));
        var waiting = sweep.Trials.Startable.Where(number => !supervised.Contains(number)).Take(Math.Min(places, allowed ?? places));
        return [.. begun, .. waiting];
    }

    /// <summary>Whether no further trial may begin, though some wait.</summary>
    public static bool IsBudgetSpent(SweepRecord sweep) =>
        sweep.State == WorkState.Running
        && sweep.Trials.Startable.Count > 0
        && (Begun(sweep) >= sweep.Limits?.Trials || sweep.DeviceSeconds >= sweep.Limits?.DeviceHours * SecondsPerHour);

    /// <summary>How many trials have begun; one that a search has go on from a rung begins anew.</summary>
    private static int Begun(SweepRecord sweep) =>
        sweep.Trials.Counts.Total - sweep.Trials.Startable.Count - sweep.Trials.Counts.Cancelled;
}
