using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Statistics;

namespace MedMerge.Experiments;

/// <summary>One row of the comparison.</summary>
/// <param name="Difference">Against the best single source, paired by seed and test image; null for that source itself and where there is none.</param>
public sealed record MethodSummary(Method Method, Interval MacroF1, Interval Accuracy, Interval Auc, PairedBootstrap.Differences? Difference);

/// <summary>Everything a run gave, and what follows from it.</summary>
public sealed record RunResult(Plan Plan, IReadOnlyList<TrialResult> Trials)
{
    private const int BootstrapReplicates = 2000;

    /// <summary>
    /// The rival: the fine-tuned or LP-FT source with the highest mean test macro F1. Chosen on the test split, which favours the rival, not
    /// the merge. Null where no single source was run.
    /// </summary>
    public Method? BestSingleSource { get; } = Trials
        .Where(trial => MethodNames.IsSingleSource(trial.Trial.Method.Kind))
        .GroupBy(trial => trial.Trial.Method)
        .MaxBy(group => group.Average(trial => trial.Test.MacroF1))?.Key;

    /// <summary>The rows, in the plan's order.</summary>
    public IReadOnlyList<MethodSummary> Summaries => field ??= [.. Trials.GroupBy(trial => trial.Trial.Method).Select(Summarise)];

    /// <summary>The certificate with the largest difference of all merges; null where nothing was merged.</summary>
    public Certificate? WorstCertificate => Trials.Select(trial => trial.Certificate).OfType<Certificate>().MaxBy(certificate => certificate.Worst.Relative);

    /// <summary>The paired difference of one method to another, first minus second.</summary>
    public PairedBootstrap.Differences Compare(Method first, Method second)
    {
        var random = new RandomStream(0, StreamKeys.Bootstrap);
        return PairedBootstrap.Compare(TestPredictions(first), TestPredictions(second), random.Below, BootstrapReplicates);
    }

    /// <summary>A method's trials.</summary>
    public IEnumerable<TrialResult> Of(Method method) => Trials.Where(trial => trial.Trial.Method == method);

    private MethodSummary Summarise(IGrouping<Method, TrialResult> trials) => new(
        trials.Key,
        Interval.OfMean([.. trials.Select(trial => trial.Test.MacroF1)]),
        Interval.OfMean([.. trials.Select(trial => trial.Test.Accuracy)]),
        Interval.OfMean([.. trials.Select(trial => trial.Test.Auc)]),
        BestSingleSource is null || BestSingleSource == trials.Key ? null : Compare(trials.Key, BestSingleSource));

    private List<Predictions> TestPredictions(Method method) => [.. Of(method).OrderBy(trial => trial.Trial.Seed).Select(trial => trial.Predictions.Test)];
}
