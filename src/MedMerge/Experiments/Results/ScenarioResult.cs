using MedMerge.Data;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Merging;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Results;

/// <summary>One row of the comparison.</summary>
/// <param name="Difference">
/// To the best single source, paired by seed and test image; null for that source itself and where there is none.
/// </param>
internal sealed record MethodSummary(
    MethodRow Method,
    Interval MacroF1,
    Interval Accuracy,
    Interval Auc,
    PairedBootstrap.Differences? Difference);

/// <summary>The paired difference of the proposed method to a control, proposed minus control.</summary>
internal sealed record ControlComparison(MethodRow Control, PairedBootstrap.Differences Difference);

/// <summary>The results of a scenario's trials and their comparison, which tables, files and pages show.</summary>
/// <param name="BestSingleSource">
/// The single source with the highest mean test macro F1; null if none was run. Choosing it on the test split favours
/// it over the merge.
/// </param>
/// <param name="Summaries">The rows of the table, in the plan's order.</param>
/// <param name="Controls">The proposed method against each control; empty if either was not run.</param>
internal sealed record ScenarioResult(
    ScenarioSummary Scenario,
    IReadOnlyList<TrialResult> Trials,
    MethodRow? BestSingleSource,
    IReadOnlyList<MethodSummary> Summaries,
    IReadOnlyList<ControlComparison> Controls)
{
    private const int BootstrapReplicates = 2000;

    /// <summary>The certificate with the largest difference of all merges; null if nothing was merged.</summary>
    public Certificate? WorstCertificate =>
        Trials.Select(trial => trial.Certificate).OfType<Certificate>().MaxBy(certificate => certificate.Worst.Relative);

    /// <summary>Compares the methods, each pair over the seeds that both have.</summary>
    public static ScenarioResult Compare(
        ScenarioSummary scenario,
        IReadOnlyList<TrialResult> trials,
        CancellationToken cancellation)
    {
        var rows = trials.GroupBy(trial => trial.Trial.Row).ToList();
        var best = rows
            .Where(row => row.Key.Role == MethodRole.SingleSource)
            .MaxBy(row => row.Average(trial => trial.Test.MacroF1));
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
            if (Compare(proposed, control, cancellation) is { } difference)
                yield return new ControlComparison(control.Key, difference);
        }
    }

    private static MethodSummary Summarise(
        IGrouping<MethodRow, TrialResult> trials,
        IGrouping<MethodRow, TrialResult>? best,
        CancellationToken cancellation)
    {
        var hasRival = best is not null && best.Key != trials.Key;
        return new MethodSummary(
            trials.Key,
            Interval.OfMean([.. trials.Select(trial => trial.Test.MacroF1)]),
            Interval.OfMean([.. trials.Select(trial => trial.Test.Accuracy)]),
            Interval.OfMean([.. trials.Select(trial => trial.Test.Auc)]),
            hasRival ? Compare(trials, best!, cancellation) : null);
    }

    /// <summary>First minus second; null if no seed has both, because trials may fail.</summary>
    private static PairedBootstrap.Differences? Compare(
        IEnumerable<TrialResult> first,
        IEnumerable<TrialResult> second,
        CancellationToken cancellation)
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
