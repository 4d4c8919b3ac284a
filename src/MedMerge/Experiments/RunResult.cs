using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Statistics;

namespace MedMerge.Experiments;

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
public sealed record RunResult(
    Plan Plan, IReadOnlyList<TrialResult> Trials, Method? BestSingleSource, IReadOnlyList<MethodSummary> Summaries, IReadOnlyList<ControlComparison> Controls)
{
    private const int BootstrapReplicates = 2000;

    /// <summary>The certificate with the largest difference of all merges; null where nothing was merged.</summary>
    public Certificate? WorstCertificate => Trials.Select(trial => trial.Certificate).OfType<Certificate>().MaxBy(certificate => certificate.Worst.Relative);

    /// <summary>Compares the methods.</summary>
    public static RunResult Of(Plan plan, IReadOnlyList<TrialResult> trials, CancellationToken cancellation)
    {
        var methods = trials.GroupBy(trial => trial.Trial.Method).ToList();
        var best = methods.Where(method => MethodNames.IsSingleSource(method.Key.Kind)).MaxBy(method => method.Average(trial => trial.Test.MacroF1));
        var medmerge = methods.FirstOrDefault(method => method.Key.Kind == MethodKind.MedMerge);
        var controls = methods.Where(method => MethodNames.IsControl(method.Key.Kind));
        return new RunResult(plan, trials, best?.Key,
            [.. methods.Select(method => Summarise(method, best, cancellation))],
            medmerge is null ? [] : [.. controls.Select(control => new ControlComparison(control.Key, Compare(medmerge, control, cancellation)))]);
    }

    private static MethodSummary Summarise(IGrouping<Method, TrialResult> trials, IGrouping<Method, TrialResult>? best, CancellationToken cancellation) => new(
        trials.Key,
        Interval.OfMean([.. trials.Select(trial => trial.Test.MacroF1)]),
        Interval.OfMean([.. trials.Select(trial => trial.Test.Accuracy)]),
        Interval.OfMean([.. trials.Select(trial => trial.Test.Auc)]),
        best is null || best.Key == trials.Key ? null : Compare(trials, best, cancellation));

    private static PairedBootstrap.Differences Compare(IEnumerable<TrialResult> first, IEnumerable<TrialResult> second, CancellationToken cancellation)
    {
        var random = new RandomStream(0, StreamKeys.Bootstrap);
        return PairedBootstrap.Compare(TestPredictions(first), TestPredictions(second), random.Below, BootstrapReplicates, cancellation);
    }

    private static List<Predictions> TestPredictions(IEnumerable<TrialResult> trials) => [.. trials.OrderBy(trial => trial.Trial.Seed).Select(trial => trial.Predictions.Test)];
}
