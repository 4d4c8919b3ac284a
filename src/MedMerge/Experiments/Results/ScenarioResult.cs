using MedMerge.Data;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>One row of the comparison.</summary>
/// <param name="Difference">Against the best single source, paired by seed and test image; null for that source itself and where there is none.</param>
public sealed record MethodSummary(Method Method, Interval MacroF1, Interval Accuracy, Interval Auc, PairedBootstrap.Differences? Difference);

/// <summary>The paired difference of medmerge to a control, medmerge minus control.</summary>
public sealed record ControlComparison(Method Control, PairedBootstrap.Differences Difference);

/// <summary>Everything a run gave, and what follows from it; computed once, shown by tables, files and pages.</summary>
/// <param name="BestSingleSource">The rival: the fine-tuned or LP-FT source with the highest mean test macro F1. Chosen on the test split, which
/// favours the rival, not the merge. Null where no single source was run.</param>
/// <param name="Summaries">The rows, in the plan's order.</param>
/// <param name="Controls">medmerge against each control; empty where either was not run.</param>
public sealed record ScenarioResult(
    Plan Plan, IReadOnlyList<TrialResult> Trials, Method? BestSingleSource, IReadOnlyList<MethodSummary> Summaries, IReadOnlyList<ControlComparison> Controls)
{
    private const int BootstrapReplicates = 2000;

    /// <summary>The certificate with the largest difference of all merges; null where nothing was merged.</summary>
    public Certificate? WorstCertificate => Trials.Select(trial => trial.Certificate).OfType<Certificate>().MaxBy(certificate => certificate.Worst.Relative);

    /// <summary>Reads what finished trials have left in the store, and compares the methods.</summary>
    /// <param name="trials">The finished ones; their outputs are there.</param>
    /// <exception cref="MissingOutputException">An output is missing or damaged.</exception>
    public static async Task<ScenarioResult> ReadAsync(Plan plan, IEnumerable<Trial> trials, IStageStore store, CancellationToken cancellation)
    {
        var results = new List<TrialResult>();
        foreach (var trial in trials)
        {
            var predictions = StageFiles.Read<HeldOutPredictions>(await store.GetAsync(trial.Evaluate, cancellation).ConfigureAwait(false), StageFiles.Predictions);
            var certificate = trial.Merge is null ? null : StageFiles.Read<Certificate>(await store.GetAsync(trial.Merge, cancellation).ConfigureAwait(false), StageFiles.Certificate);
            results.Add(new TrialResult(trial, predictions, certificate));
        }
        return Of(plan, results, cancellation);
    }

    /// <summary>Compares the methods, each pair over the seeds that both have.</summary>
    public static ScenarioResult Of(Plan plan, IReadOnlyList<TrialResult> trials, CancellationToken cancellation)
    {
        var methods = trials.GroupBy(trial => trial.Trial.Method).ToList();
        var best = methods.Where(method => MethodNames.IsSingleSource(method.Key.Kind)).MaxBy(method => method.Average(trial => trial.Test.MacroF1));
        var medmerge = methods.FirstOrDefault(method => method.Key.Kind == MethodKind.MedMerge);
        var controls = methods.Where(method => MethodNames.IsControl(method.Key.Kind));
        return new ScenarioResult(plan, trials, best?.Key,
            [.. methods.Select(method => Summarise(method, best, cancellation))],
            medmerge is null ? [] : [.. from control in controls
                                        let difference = Compare(medmerge, control, cancellation)
                                        where difference is not null
                                        select new ControlComparison(control.Key, difference)]);
    }

    private static MethodSummary Summarise(IGrouping<Method, TrialResult> trials, IGrouping<Method, TrialResult>? best, CancellationToken cancellation) => new(
        trials.Key,
        Interval.OfMean([.. trials.Select(trial => trial.Test.MacroF1)]),
        Interval.OfMean([.. trials.Select(trial => trial.Test.Accuracy)]),
        Interval.OfMean([.. trials.Select(trial => trial.Test.Auc)]),
        best is null || best.Key == trials.Key ? null : Compare(trials, best, cancellation));

    /// <summary>First minus second; null where no seed has both, for trials may fail.</summary>
    private static PairedBootstrap.Differences? Compare(IEnumerable<TrialResult> first, IEnumerable<TrialResult> second, CancellationToken cancellation)
    {
        var pairs = first.Join(second, trial => trial.Trial.Seed, trial => trial.Trial.Seed, (one, other) => (One: one.Predictions.Test, Other: other.Predictions.Test)).ToList();
        if (pairs.Count == 0) return null;
        var random = new RandomStream(0, StreamKeys.Bootstrap);
        return PairedBootstrap.Compare([.. pairs.Select(pair => pair.One)], [.. pairs.Select(pair => pair.Other)], random.Below, BootstrapReplicates, cancellation);
    }
}
