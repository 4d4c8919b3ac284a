using System.Globalization;
using MedMerge.Experiments.Results;
using MedMerge.Training;

namespace MedMerge.Reporting;

/// <summary>What a reader should know about the trainings of a scenario that its scores don't show, a sentence each.</summary>
internal static class TrainingNotes
{
    /// <summary>The notes; empty where all went well.</summary>
    public static IEnumerable<string> Of(ScenarioResult result)
    {
        if (DescribeSelection(result) is { } selection) yield return selection;
        if (DescribeProbes(result) is { } probes) yield return probes;
        if (DescribeDiverged(result) is { } diverged) yield return diverged;
    }

    private static string? DescribeSelection(ScenarioResult result)
    {
        var trials = result.Trials.Where(trial => trial.Selection is not null).ToList();
        if (trials.Count == 0) return null;
        var others = trials.Where(trial => !trial.Selection!.IsMergeKept).GroupBy(trial => trial.Selection!.Kept).ToList();
        var title = trials[0].Trial.Row.Title;
        return others.Count == 0
            ? $"select: best kept {title}'s own model in all {trials.Count} trials: it was better on validation than every single source's."
            : $"select: best kept a single source's model in {others.Sum(row => row.Count())} of {trials.Count} trials of {title}, where " +
              $"merging was not better on validation: {string.Join(", ", others.Select(row => $"{row.Key} in {row.Count()}"))}. " +
              $"The row is of what was kept, and costs the passes of all of them.";
    }

    private static string? DescribeDiverged(ScenarioResult result)
    {
        var diverged = result.Trials
            .SelectMany(trial => trial.LearningRate?.Tries ?? [], (trial, tried) => (Trial: trial, Tried: tried))
            .Where(pair => pair.Tried.Best is null)
            .GroupBy(pair => pair.Tried.LearningRate, pair => pair.Trial)
            .OrderBy(rate => rate.Key)
            .Select(rate => string.Create(CultureInfo.InvariantCulture, $"at {rate.Key} in {DescribeRows(result, rate)}"))
            .ToList();
        return diverged.Count == 0
            ? null
            : $"Training diverged at learning rates that were tried, and so were not chosen: {string.Join("; ", diverged)}.";
    }

    private static string? DescribeProbes(ScenarioResult result)
    {
        var trials = result.Trials.Where(trial => trial.ProbeGradient is not null).ToList();
        if (trials.Count == 0) return null;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"The linear probe ended before its optimum in {DescribeRows(result, trials)}: the largest entry of its gradient is " +
            $"{trials.Max(trial => trial.ProbeGradient):0.0e0}, and {LinearProbe.GradientTolerance:0e0} was wanted.");
    }

    /// <summary>In how many of which rows' trials.</summary>
    private static string DescribeRows(ScenarioResult result, IEnumerable<TrialResult> some) => string.Join(", ", some
        .GroupBy(trial => trial.Trial.Row)
        .Select(row => $"{row.Count()} of {result.Trials.Count(trial => trial.Trial.Row == row.Key)} trials of {row.Key.Title}"));
}
