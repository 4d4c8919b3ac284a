using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>One row of the comparison.</summary>
/// <param name="Seeds">Number of trials that have a result.</param>
/// <param name="Scores">Means over the seeds, on the test split.</param>
/// <param name="Differences">
/// To the rival of each metric, paired by seed and test image; without the metrics whose rival is this row, or that have none.
/// </param>
internal sealed record MethodSummary(
    MethodRow Method,
    int Seeds,
    IReadOnlyDictionary<Metric, Interval> Scores,
    IReadOnlyDictionary<Metric, Interval> Differences)
{
    /// <summary>The difference to the rival in the scenario's metric; null where <see cref="Differences"/> has none.</summary>
    public RivalDifference? ToRival { get; init; }
}

/// <summary>A row's difference to the rival, with what a comparison over several scenarios needs.</summary>
/// <param name="PValue">Of no difference; below 0.05 where, and only where, the interval leaves out zero.</param>
/// <param name="Seeds">Seed by seed, with the first resamples of the test images.</param>
internal sealed record RivalDifference(Interval Difference, double PValue, SeedDifferences Seeds);

/// <summary>The results of a scenario's trials and their comparison, which tables, files and pages show.</summary>
/// <param name="Rivals">
/// For each metric the single source with the highest mean on the validation split; empty if none was run, or one has no result yet.
/// Choosing it on the test split would favour it, and choosing one for all metrics would favour the others in the rest.
/// </param>
/// <param name="Summaries">The rows of the table, in the plan's order.</param>
/// <param name="Comparisons">The proposed method against every other row; empty if it was not run.</param>
internal sealed record ScenarioResult(
    ScenarioSummary Scenario,
    IReadOnlyList<TrialResult> Trials,
    IReadOnlyDictionary<Metric, MethodRow> Rivals,
    IReadOnlyList<MethodSummary> Summaries,
    IReadOnlyList<MethodComparison> Comparisons)
{
    private const int Resamples = 5000;

    /// <summary>Bounds time and memory: resamples × trials.</summary>
    private const int MaxScores = 1_000_000;

    /// <summary>The resamples that any scenario has, and that are kept for the comparison over several.</summary>
    private const int MinResamples = 500;

    private static readonly IReadOnlyList<Metric> Metrics = Enum.GetValues<Metric>();

    /// <summary>The planned trials that have no result; empty once all have ended well.</summary>
    public IReadOnlyList<MissingTrial> Missing { get; init; } = [];

    /// <summary>The source that was chosen as the anchor; null where it is named, or not chosen yet.</summary>
    public AnchorChoice? AnchorChoice { get; init; }

    /// <summary>The source that α starts from; <c>best-probe</c> where it is to be chosen.</summary>
    public string Anchor => AnchorChoice is { } choice ? Scenario.Sources[choice.Index].Name : Scenario.Anchor;

    /// <summary>The seeds that any trial has a result for, in the specification's order.</summary>
    public IEnumerable<ulong> Seeds => Scenario.Seeds.Intersect(Trials.Select(trial => trial.Trial.Seed));

    /// <summary>What the verdict is about.</summary>
    public Metric Metric => Scenario.Settings.Metric;

    /// <summary>The rival in the scenario's metric; null if no single source was run.</summary>
    public MethodRow? Rival => Rivals.GetValueOrDefault(Metric);

    /// <summary>The proposed method against its rival; null if either was not run, or they have no seed in common.</summary>
    public MethodComparison? ToRival => Comparisons.FirstOrDefault(comparison => comparison.Other == Rival);

    /// <summary>The certificate with the largest difference of all merges; null if nothing was merged.</summary>
    public Certificate? WorstCertificate =>
        Trials.Select(trial => trial.Certificate).OfType<Certificate>().MaxBy(certificate => certificate.Worst.Relative);

    /// <summary>Compares the methods, each pair over the seeds that both have.</summary>
    /// <param name="missing">The scenario's trials that have no result.</param>
    public static ScenarioResult Compare(
        ScenarioSummary scenario,
        IReadOnlyList<TrialResult> trials,
        IReadOnlyList<MissingTrial> missing,
        CancellationToken cancellation)
    {
        var rows = trials.GroupBy(trial => trial.Trial.Row).ToList();
        var resamples = Math.Clamp(MaxScores / Math.Max(1, trials.Count), MinResamples, Resamples);
        var pairs = PairedTrials.Resample(trials, resamples, cancellation);
        // The best is not known while one of them has no result.
        var isSourceMissing = missing
            .Select(trial => trial.Trial.Row)
            .Any(row => row.Role == MethodRole.SingleSource && rows.All(known => known.Key != row));
        var rivals = isSourceMissing ? [] : ChooseRivals([.. rows.Where(row => row.Key.Role == MethodRole.SingleSource)]);
        var proposed = rows.FirstOrDefault(row => row.Key.Role == MethodRole.Proposed);
        return new ScenarioResult(
            scenario,
            [.. trials.Select(trial => trial.WithoutPredictions())],
            rivals,
            [.. rows.Select(Summarise)],
            proposed is null ? [] : [.. rows.Where(row => row != proposed).Select(CompareToProposed).OfType<MethodComparison>()])
        {
            Missing = missing,
        };

        MethodSummary Summarise(IGrouping<MethodRow, TrialResult> row)
        {
            var differences = rivals
                .Where(rival => rival.Value != row.Key)
                .Select(rival => (Metric: rival.Key, Seeds: pairs.Compare(row.Key, rival.Value, rival.Key)))
                .Where(difference => difference.Seeds is not null)
                .ToDictionary(
                    difference => difference.Metric,
                    difference => (Seeds: difference.Seeds!, Paired: PairedDifference.Of(difference.Seeds!)));
            var summary = new MethodSummary(
                row.Key,
                row.Count(),
                Metrics.ToDictionary(metric => metric, metric => Interval.OfMean([.. row.Select(trial => trial.Test.Get(metric))])),
                differences.ToDictionary(difference => difference.Key, difference => difference.Value.Paired.Interval));
            if (!differences.TryGetValue(scenario.Settings.Metric, out var toRival)) return summary;
            return summary with
            {
                ToRival = new RivalDifference(
                    toRival.Paired.Interval,
                    toRival.Paired.PValue,
                    toRival.Seeds.Truncate(MinResamples)),
            };
        }

        MethodComparison? CompareToProposed(IGrouping<MethodRow, TrialResult> row)
        {
            var seeds = pairs.Compare(proposed!.Key, row.Key, scenario.Settings.Metric);
            return seeds is null ? null : new MethodComparison(row.Key, PairedDifference.Of(seeds).Interval, seeds.Seeds.Count);
        }
    }

    /// <summary>The best row on validation for each metric, over the seeds that all of them have.</summary>
    private static Dictionary<Metric, MethodRow> ChooseRivals(IReadOnlyList<IGrouping<MethodRow, TrialResult>> rows)
    {
        var rivals = new Dictionary<Metric, MethodRow>();
        if (rows.Count == 0) return rivals;
        var seeds = rows
            .Select(row => row.Select(trial => trial.Trial.Seed))
            .Aggregate((common, others) => common.Intersect(others))
            .ToHashSet();
        if (seeds.Count == 0) return rivals;
        foreach (var metric in Metrics)
        {
            var best = rows.MaxBy(row => row
                .Where(trial => seeds.Contains(trial.Trial.Seed))
                .Average(trial => trial.Validation.Get(metric)));
            rivals[metric] = best!.Key;
        }
        return rivals;
    }
}
