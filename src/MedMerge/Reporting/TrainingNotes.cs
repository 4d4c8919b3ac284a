using System.Globalization;
using MedMerge.Experiments.Results;
using MedMerge.Training;

namespace MedMerge.Reporting;

/// <summary>What went less well in the trainings of a scenario than its scores show, a sentence each.</summary>
internal static class TrainingNotes
{
    /// <summary>The notes; empty where all went well.</summary>
    public static IEnumerable<string> Of(ScenarioResult result)
    {
        if (DescribeProbes(result) is { } probes) yield return probes;
        if (DescribeDiverged(result) is { } diverged) yield return diverged;
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
