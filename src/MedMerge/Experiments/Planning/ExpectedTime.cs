namespace MedMerge.Experiments.Planning;

/// <summary>How long the rest of a plan takes by the paces of stages that were measured.</summary>
/// <param name="Known">Of the stages whose kinds were measured.</param>
/// <param name="Measured">How many measured stages it comes from.</param>
/// <param name="Lanes">Stages that compute at a time.</param>
/// <param name="Unmeasured">Names of stages that are left and of which none was measured.</param>
internal sealed record ExpectedTime(TimeSpan Known, int Measured, int Lanes, IReadOnlyList<string> Unmeasured)
{
    /// <summary>
    /// Adds up cost × the median pace of its kind over the stages that are left, and divides by the lanes; it takes no less than any
    /// trial: the longest stage of each of its kinds, as kinds follow one another. Stages that cost nothing do not count.
    /// </summary>
    /// <param name="isCached">Whether the store has the output of the stage with a key.</param>
    /// <param name="measured">Stages that were measured, of any kind, on devices of any model.</param>
    /// <param name="device">The model of the device that the rest is computed on.</param>
    public static ExpectedTime Of(
        PlanSummary plan,
        Func<string, bool> isCached,
        IEnumerable<MeasuredStage> measured,
        string device,
        int lanes)
    {
        var kinds = StageKind.ListAll(plan);
        var left = plan.Stages
            .Zip(kinds, (stage, kind) => (stage.Key, stage.Cost, Kind: kind))
            .Where(stage => stage.Cost > 0 && !isCached(stage.Key))
            .ToList();
        var wanted = left.Select(stage => stage.Kind).ToHashSet();
        var paces = measured
            .Where(stage => stage.IsWhole && stage.Timing.Device == device && wanted.Contains(stage.Kind))
            .GroupBy(stage => stage.Kind, stage => stage.Pace)
            .ToDictionary(kind => kind.Key, kind => kind.Order().ToList());
        var seconds = left
            .Where(stage => paces.ContainsKey(stage.Kind))
            .ToDictionary(stage => stage.Key, stage => stage.Cost * FindMedian(paces[stage.Kind]));
        var longest = plan.Trials
            .Select(trial => plan.GetStages(trial)
                .GroupBy(stage => stage.Name, stage => seconds.GetValueOrDefault(stage.Key))
                .Sum(kind => kind.Max()))
            .DefaultIfEmpty()
            .Max();
        return new ExpectedTime(
            TimeSpan.FromSeconds(Math.Max(seconds.Values.Sum() / lanes, longest)),
            paces.Values.Sum(kind => kind.Count),
            lanes,
            [.. left.Select(stage => stage.Kind).Where(kind => !paces.ContainsKey(kind)).Select(kind => kind.Name).Distinct()]);
    }

    private static double FindMedian(List<double> sorted) => (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
}
