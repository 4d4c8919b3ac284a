using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>What several scenarios say together.</summary>
/// <param name="Targets">How many targets they have.</param>
/// <param name="Effects">Main effects of the settings that differ between scenarios.</param>
internal sealed record SweepComparison(
    Metric Metric,
    int Scenarios,
    int Targets,
    IReadOnlyList<MethodOverall> Methods,
    IReadOnlyList<SettingEffect> Effects)
{
    /// <summary>Compares over scenarios; null where there is one, or their metrics differ.</summary>
    public static SweepComparison? Of(IReadOnlyList<ScenarioResult> scenarios)
    {
        if (scenarios.Count < 2 || scenarios.Select(scenario => scenario.Metric).Distinct().Count() > 1) return null;
        var metric = scenarios[0].Metric;
        var places = scenarios.SelectMany(scenario => Rank(scenario, metric)).ToLookup(place => place.Method);
        return new SweepComparison(
            metric,
            scenarios.Count,
            scenarios.Select(scenario => scenario.Scenario.Target.Sha256).Distinct().Count(),
            [.. places.Select(method => Summarise(method.Key, [.. method])).OrderBy(method => method.MeanRank)],
            SettingEffect.Find(scenarios, metric));
    }

    /// <summary>Each method's place in a scenario.</summary>
    private static IEnumerable<Place> Rank(ScenarioResult scenario, Metric metric)
    {
        if (scenario.Rival is not { } rival) return [];
        var best = scenario.Summaries
            .GroupBy(summary => summary.Method.Method)
            .Select(rows => rows.Count() == 1 ? rows.Single() : rows.MaxBy(row => ValidationScore(scenario, row.Method, metric))!)
            .ToList();
        return best.Select(row => new Place(
            row.Method.Method,
            scenario.Scenario,
            1 + best.Count(other => Score(other) > Score(row)) + ((best.Count(other => Score(other) == Score(row)) - 1) / 2.0),
            row.Method == rival,
            row.ToRival));

        double Score(MethodSummary row) => row.Scores[metric].Estimate;
    }

    private static double ValidationScore(ScenarioResult scenario, MethodRow row, Metric metric) =>
        scenario.Trials.Where(trial => trial.Trial.Row == row).Average(trial => trial.Validation.Get(metric));

    private static MethodOverall Summarise(IMethod method, IReadOnlyList<Place> places)
    {
        var targets = places
            .Where(place => place.IsRival || place.ToRival is not null)
            .GroupBy(place => place.Scenario.Target.Sha256)
            .Select(target => Summarise([.. target]))
            .ToList();
        var difference = places.All(place => place.IsRival)
            ? new Interval(0, double.NaN, double.NaN) // there is nothing to compare it with
            : MeanOverTargets.Of(targets);
        return new MethodOverall(
            method,
            places.Count,
            targets.Count,
            places.Average(place => place.Rank),
            difference,
            Adjust([.. places.Where(place => place.ToRival is not null)]));
    }

    /// <summary>
    /// A method's difference on a target. Its scenarios share seeds and test images, so they are averaged seed by seed and resample by
    /// resample before the chance of both is measured.
    /// </summary>
    private static TargetDifference Summarise(IReadOnlyList<Place> target)
    {
        var estimate = target.Average(place => place.IsRival ? 0 : place.ToRival!.Difference.Estimate);
        var compared = target.Where(place => !place.IsRival).Select(place => place.ToRival!.Seeds).ToList();
        if (compared.Count == 0) return new TargetDifference(estimate, new PairedDifference(0, MeanVariance.None, MeanVariance.None));
        if (SeedDifferences.Average(compared) is not { } seeds) return new TargetDifference(estimate, OnTarget: null);
        var share = compared.Count / (double)target.Count; // where it is the best single source it does not differ from it
        var chance = PairedDifference.Of(seeds);
        return new TargetDifference(
            estimate,
            new PairedDifference(estimate, chance.OfSeeds.Scale(share), chance.OfImages.Scale(share)));
    }

    /// <summary>Adjusts the p-values of one method's verdicts, which are counted together.</summary>
    private static IReadOnlyList<ScenarioComparison> Adjust(IReadOnlyList<Place> places)
    {
        var comparisons = places
            .Select(place => new ScenarioComparison(
                place.Scenario.Name,
                place.ToRival!.Seeds.Seeds.Count,
                place.ToRival.Difference,
                place.ToRival.PValue,
                Adjusted: null))
            .ToArray();
        var family = Enumerable.Range(0, comparisons.Length)
            .Where(i => comparisons[i].Seeds >= Verdict.MinSeeds && !double.IsNaN(comparisons[i].PValue))
            .ToList();
        var adjusted = HolmAdjustment.Adjust([.. family.Select(i => comparisons[i].PValue)]);
        foreach (var (i, value) in family.Zip(adjusted)) comparisons[i] = comparisons[i] with { Adjusted = value };
        return comparisons;
    }

    /// <summary>A method's place in a scenario.</summary>
    /// <param name="IsRival">Whether it is the scenario's best single source.</param>
    /// <param name="ToRival">Null if it is, or has no seed in common with it.</param>
    private sealed record Place(IMethod Method, ScenarioSummary Scenario, double Rank, bool IsRival, RivalDifference? ToRival);
}
