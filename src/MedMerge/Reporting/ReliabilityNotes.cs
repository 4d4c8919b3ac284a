using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Results;
using MedMerge.Statistics;
using MedMerge.Training;

namespace MedMerge.Reporting;

/// <summary>What limits how far a scenario's numbers can be trusted, a sentence or two each.</summary>
internal static class ReliabilityNotes
{
    private const int FewImages = 300, FewOfClass = 30;

    /// <summary>Where α has less entropy, practically every kernel is of one source alone.</summary>
    private const double Degenerate = 0.1;

    private const double Normal975 = 1.96;

    /// <summary>The notes; empty where there is nothing to say.</summary>
    public static IReadOnlyList<string> Of(ScenarioResult result) =>
    [
        .. DescribeSeeds(result),
        .. DescribeTestImages(result),
        .. DescribeChoice(result),
        .. DescribeUnknownTraining(result),
        .. DescribeWeights(result),
    ];

    private static IEnumerable<string> DescribeSeeds(ScenarioResult result)
    {
        var seeds = result.Seeds.Count();
        if (seeds >= Verdict.MinSeeds) yield break;
        var effect = seeds == 1 ? "no interval tells what another seed would change" : "intervals over seeds are wide";
        yield return $"Few seeds: {Count(seeds, "seed")} where a verdict takes {Verdict.MinSeeds}, so {effect}.";
    }

    private static IEnumerable<string> DescribeTestImages(ScenarioResult result)
    {
        var images = result.Scenario.Target.TestImages;
        if (images < FewImages)
        {
            var chance = Normal975 * Math.Sqrt(0.8 * 0.2 / images);
            yield return $"Small test set: of {images} images each is worth {Percent.Format(1.0 / images)} points of accuracy. By chance " +
                         $"of which images were drawn, an accuracy of 80 % has a 95 % interval of ± {Percent.Format(chance)} points.";
        }
        if (result.Trials.Count == 0) yield break;
        var classes = result.Trials[0].Test.Classes;
        var names = result.Scenario.Target.GetClassNames(classes.Count);
        var small = classes.Where(score => score.Images < FewOfClass).ToList();
        if (small.Count == 0) yield break;
        yield return $"Small classes: among the test images there are only " +
                     $"{string.Join(", ", small.Select(score => $"{score.Images} of {names[score.Class]}"))}, and scores of such a class " +
                     "move in large steps.";
    }

    /// <summary>How good a choice on validation was, as the test images show afterwards.</summary>
    private static IEnumerable<string> DescribeChoice(ScenarioResult result)
    {
        if (result.Rival is not { } rival) yield break;
        var sources = result.Trials
            .Where(trial => trial.Trial.Row.Role == MethodRole.SingleSource)
            .GroupBy(trial => trial.Trial.Row)
            .Select(row => new Mean(
                row.Key,
                row.Average(trial => trial.Validation.Get(result.Metric)),
                row.Average(trial => trial.Test.Get(result.Metric))))
            .ToList();
        var chosen = sources.Single(source => source.Row == rival);
        var best = sources.MaxBy(source => source.Test)!;
        var images = result.Scenario.Target.ValidationImages;
        var on = images == 0 ? "validation" : $"{Count(images, "validation image")}";
        var gap = Points.Format(chosen.Test - chosen.Validation);
        var text = $"The best single source was chosen on {on}: {rival.Title} has {MetricNames.Get(result.Metric)} " +
                   $"{Percent.Format(chosen.Validation)} there and {Percent.Format(chosen.Test)} on test ({gap} points).";
        if (sources.Count == 1) yield return text;
        else if (best.Row == rival || best.Test <= chosen.Test) yield return $"{text} It is the best on test too.";
        else
        {
            yield return $"{text} On test {best.Row.Title} is better ({Percent.Format(best.Test)}; on validation " +
                         $"{Percent.Format(best.Validation)}): against it, each difference would be " +
                         $"{Percent.Format(best.Test - chosen.Test)} points less.";
        }
    }

    /// <summary>Copies can be looked for only where it is known what a source was trained on.</summary>
    private static IEnumerable<string> DescribeUnknownTraining(ScenarioResult result)
    {
        var files = result.Scenario.Sources.Where(source => source.Pretraining is null).Select(source => source.Name).ToList();
        if (files.Count == 0) yield break;
        yield return $"Leakage: what {string.Join(", ", files)} {(files.Count == 1 ? "was" : "were")} trained on is not known here, so " +
                     "it could not be checked whether those images are among the test images.";
    }

    private static IEnumerable<string> DescribeWeights(ScenarioResult result)
    {
        var metric = result.Scenario.Settings.KernelWeights.Metric;
        foreach (var row in result.Trials.Where(trial => trial.WeightLearning.Count > 0).GroupBy(trial => trial.Trial.Row))
        {
            if (row.Key.Role != MethodRole.Proposed) continue;
            var learned = row.Select(trial => Learned.Of(trial.WeightLearning, metric)).ToList();
            var unmoved = learned.Count(one => one.Best == 0);
            if (unmoved > 0)
            {
                yield return $"Kernel weights that were not learned: in {unmoved} of {learned.Count} trials of {row.Key.Title} no epoch " +
                             "was better on validation than the start, so α is what it started from.";
            }
            var degenerate = learned.Where(one => one.Entropy < Degenerate).ToList();
            if (degenerate.Count == 0) continue;
            var start = degenerate.Average(one => one.Start);
            var why = start < 2 * Degenerate
                ? "It started nearly there"
                : "Learning went there: mixing did not help";
            yield return $"Degenerate kernel weights: in {degenerate.Count} of {learned.Count} trials of {row.Key.Title} practically " +
                         $"every kernel is of one source alone, so that nothing is mixed. {why}. The entropy of α was " +
                         $"{Percent.Format(start)} % at the start, and is {Percent.Format(degenerate.Average(one => one.Entropy))} %.";
        }
    }

    private static string Count(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";

    /// <summary>A row's mean scores.</summary>
    private sealed record Mean(MethodRow Row, double Validation, double Test);

    /// <summary>What came of learning α.</summary>
    /// <param name="Start">Entropy at the start, 0 … 1.</param>
    /// <param name="Entropy">Entropy of what was kept.</param>
    private sealed record Learned(int Best, double Start, double Entropy)
    {
        public static Learned Of(IReadOnlyList<EpochRecord> epochs, Metric metric)
        {
            var best = TrainingRecord.FindBest(epochs, metric);
            return new Learned(best, epochs[0].Entropy ?? double.NaN, epochs[best].Entropy ?? double.NaN);
        }
    }
}
