using MedMerge.Statistics;

namespace MedMerge.Experiments.Benchmarks;

/// <summary>
/// Whether kinds of stages became slower. Stages at the same place of both plans are paired, where both were computed whole, on the same
/// model of device and number of nodes, and by two computations. Compared is the time for the same work, so that more epochs are not taken
/// for a slower machine.
/// </summary>
/// <remarks>
/// With d the mean of the logarithms of the n ratios, its noise has two parts whose squares add up: Student's t interval of the mean over
/// the n stages, and, as the load of a night is common to its stages, t times the root mean square of what d was in the k unflagged runs
/// before, whose true value is taken for zero. A kind is slower if the lower end lies above the logarithm of 1 + the allowed share.
/// </remarks>
internal static class StageChanges
{
    /// <summary>Kinds that take less together are not worth a flag.</summary>
    private const double MinSeconds = 1;

    /// <summary>Compares the times of two runs.</summary>
    /// <param name="earlier">What unflagged runs before have found.</param>
    public static IReadOnlyList<StageChange> Compare(
        IReadOnlyList<BenchmarkStage> before,
        IReadOnlyList<BenchmarkStage> after,
        IReadOnlyList<StageChange> earlier)
    {
        var places = before.Where(stage => stage.IsMeasured).ToDictionary(stage => stage.Place);
        return [.. after
            .Where(stage => stage.IsMeasured)
            .Select(stage => (Before: places.GetValueOrDefault(stage.Place), After: stage))
            .Where(pair => pair.Before is not null && IsComparable(pair.Before, pair.After))
            .GroupBy(pair => pair.After.Kind, (kind, pairs) => Compare(kind, [.. pairs!], earlier))];
    }

    /// <summary>Whether a kind is slower by more than a share.</summary>
    public static bool IsSlower(StageChange change, double share) => change.After >= MinSeconds && change.Ratio.Low > 1 + share;

    private static bool IsComparable(BenchmarkStage before, BenchmarkStage after) =>
        before.Timing!.Device == after.Timing!.Device
        && before.Timing.Nodes == after.Timing.Nodes
        && (before.Key != after.Key || before.Timing != after.Timing);

    private static StageChange Compare(
        string kind,
        IReadOnlyList<(BenchmarkStage Before, BenchmarkStage After)> pairs,
        IReadOnlyList<StageChange> earlier)
    {
        var ratios = pairs.Select(pair => Math.Log(GetPace(pair.After) / GetPace(pair.Before))).ToList();
        var known = earlier.Where(change => change.Kind == kind).Select(change => Math.Log(change.Ratio.Estimate)).ToList();
        var mean = Interval.OfMean(ratios);
        var ofStages = ratios.Count > 1 ? mean.High - mean.Estimate : 0;
        var ofRuns = known.Count > 0
            ? StudentT.Quantile975(known.Count) * Math.Sqrt(known.Average(change => change * change))
            : 0;
        var half = ratios.Count == 1 && known.Count == 0 ? double.NaN : Math.Sqrt((ofStages * ofStages) + (ofRuns * ofRuns));
        return new StageChange(
            kind,
            pairs.Count,
            pairs.Sum(pair => pair.Before.Timing!.Seconds),
            pairs.Sum(pair => pair.After.Timing!.Seconds),
            new Interval(Math.Exp(mean.Estimate), Math.Exp(mean.Estimate - half), Math.Exp(mean.Estimate + half)));
    }

    private static double GetPace(BenchmarkStage stage) => stage.Timing!.Seconds / stage.Cost;
}
