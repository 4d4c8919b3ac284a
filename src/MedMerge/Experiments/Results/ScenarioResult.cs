using MedMerge.Data;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Merging;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>One row of the comparison.</summary>
/// <param name="Difference">Against the best single source, paired by seed and test image; null for that source itself and where there is none.</param>
public sealed record MethodSummary(MethodRow Method, Interval MacroF1, Interval Accuracy, Interval Auc, PairedBootstrap.Differences? Difference);

/// <summary>The paired difference of the proposed method to a control, proposed minus control.</summary>
public sealed record ControlComparison(MethodRow Control, PairedBootstrap.Differences Difference);

/// <summary>Everything a scenario's trials gave, and what follows from it; computed once, shown by tables, files and pages.</summary>
/// <param name="BestSingleSource">The rival: the single source with the highest mean test macro F1. Chosen on the test split, which favours the
/// rival, not the merge. Null where no single source was run.</param>
/// <param name="Summaries">The rows, in the plan's order.</param>
/// <param name="Controls">The proposed method against each control; empty where either was not run.</param>
public sealed record ScenarioResult(
    ScenarioSummary Scenario,
    IReadOnlyList<TrialResult> Trials,
    MethodRow? BestSingleSource,
    IReadOnlyList<MethodSummary> Summaries,
    IReadOnlyList<ControlComparison> Controls)
{
    private const int BootstrapReplicates = 2000;

    /// <summary>The certificate with the largest difference of all merges; null where nothing was merged.</summary>
    public Certificate? WorstCertificate =>
        Trials.Select(trial => trial.Certificate).OfType<Certificate>().MaxBy(certificate => certificate.Worst.Relative);

    /// <summary>Compares the methods, each pair over the seeds that both have.</summary>
    public static ScenarioResult Of(ScenarioSummary scenario, IReadOnlyList<TrialResult> trials, CancellationToken cancellation)
    {
        var rows = trials.GroupBy(trial => trial.Trial.Row).ToList();
        var best = rows.Where(row => row.Key.Role == MethodRole.SingleSource).MaxBy(row => row.Average(trial => trial.Test.MacroF1));
        var proposed = rows.FirstOrDefault(row => row.Key.Role == MethodRole.Proposed);
        var controls = rows.Where(row => row.Key.Role == MethodRole.Control);
        return new ScenarioResult(
            scenario,
            trials,
            best?.Key,
            [.. rows.Select(row => Summarise(row, best, cancellation))],
            proposed is null ? [] : [.. CompareToControls(proposed, controls, cancellation)]);
    }

    private static IEnumerable<ControlComparison> CompareToControls(
        IEnumerable<TrialResult> proposed,
        IEnumerable<IGrouping<MethodRow, TrialResult>> controls,
        CancellationToken cancellation)
    {
        foreach (var control in controls)
        {
            if (Compare(proposed, control, cancellation) is { } difference) yield return new ControlComparison(control.Key, difference);
        }
    }

    private static MethodSummary Summarise(
        IGrouping<MethodRow, TrialResult> trials, IGrouping<MethodRow, TrialResult>? best, CancellationToken cancellation) => new(
        trials.Key,
        Interval.OfMean([.. trials.Select(trial => trial.Test.MacroF1)]),
        Interval.OfMean([.. trials.Select(trial => trial.Test.Accuracy)]),
        Interval.OfMean([.. trials.Select(trial => trial.Test.Auc)]),
        best is null || best.Key == trials.Key ? null : Compare(trials, best, cancellation));

    /// <summary>First minus second; null where no seed has both, for trials may fail.</summary>
    private static PairedBootstrap.Differences? Compare(
        IEnumerable<TrialResult> first, IEnumerable<TrialResult> second, CancellationToken cancellation)
    {
        var pairs = first.Join(
            second,
            trial => trial.Trial.Seed,
            trial => trial.Trial.Seed,
            (one, other) => (One: one.Predictions.Test, Other: other.Predictions.Test)).ToList();
        if (pairs.Count == 0) return null;
        var random = new RandomStream(0, StreamKeys.Bootstrap);
        return PairedBootstrap.Compare(
            [.. pairs.Select(pair => pair.One)],
            [.. pairs.Select(pair => pair.Other)],
            random.Below,
            BootstrapReplicates,
            cancellation);
    }
}
