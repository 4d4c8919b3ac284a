using System.Globalization;
using MedMerge.Statistics;

namespace MedMerge.Experiments.Benchmarks;

/// <summary>Says what of a run is worse than in an earlier one.</summary>
internal static class BenchmarkComparison
{
    /// <summary>By how much a kind of stages may be slower.</summary>
    public const double DefaultSlower = 0.2;

    /// <summary>The verdict on a run.</summary>
    /// <param name="baseline">The last accepted run; null for none.</param>
    /// <param name="scores">As <see cref="ScoreChanges.Compare"/> gives them.</param>
    /// <param name="stages">As <see cref="StageChanges.Compare"/> gives them.</param>
    /// <param name="slower">By what share a kind of stages may be slower.</param>
    public static BenchmarkVerdict Judge(
        BenchmarkRun run,
        BenchmarkRun? baseline,
        IReadOnlyList<ScoreChange> scores,
        IReadOnlyList<StageChange> stages,
        double slower)
    {
        var adjusted = ScoreChanges.Adjust(scores);
        return new BenchmarkVerdict(
            baseline?.Id,
            baseline is not null && IsUnchanged(run, baseline),
            adjusted,
            stages,
            baseline is null ? [] : BenchmarkChanges.Find(baseline, run),
            [
                .. FindMissing(run),
                .. baseline is null ? [] : FindOtherBytes(run, baseline),
                .. adjusted
                    .Where(change => change.IsWorse)
                    .Select(change => new BenchmarkFinding(FindingKind.Score, DescribeScore(change))),
                .. FindSlower(stages, slower),
            ]);
    }

    /// <summary>Whether the same data, settings and code have planned both, so that nothing was to compute.</summary>
    public static bool IsUnchanged(BenchmarkRun run, BenchmarkRun other) =>
        run.Plan == other.Plan && run.Specification == other.Specification && run.Code.IsSameAs(other.Code);

    /// <summary>A sentence for each kind of stages that is slower by more than a share.</summary>
    public static IEnumerable<BenchmarkFinding> FindSlower(IEnumerable<StageChange> stages, double slower) => stages
        .Where(change => StageChanges.IsSlower(change, slower))
        .Select(change => new BenchmarkFinding(FindingKind.Time, DescribeTime(change, slower)));

    private static IEnumerable<BenchmarkFinding> FindMissing(BenchmarkRun run)
    {
        if (run.Failure is { } failure) return [new BenchmarkFinding(FindingKind.Missing, $"The sweep failed: {failure}")];
        var missing = run.Planned - run.Done;
        if (missing == 0) return [];
        var text = $"{missing} of {run.Planned} trials {(missing == 1 ? "has" : "have")} no result.";
        return [new BenchmarkFinding(FindingKind.Missing, text)];
    }

    /// <summary>The same stages, computed by the same code with the same packages, must have the same bytes.</summary>
    private static IEnumerable<BenchmarkFinding> FindOtherBytes(BenchmarkRun run, BenchmarkRun baseline)
    {
        var isSameWork = run.Work is not null && run.Work == baseline.Work && run.Code.IsSameAs(baseline.Code);
        if (!isSameWork && !IsUnchanged(run, baseline)) return [];
        return ScoreChanges.FindPairs(baseline, run).Select(row => new BenchmarkFinding(
            FindingKind.OtherBytes,
            $"{row.Method} on {row.Scenario} has other predictions, though data, settings and code are the same."));
    }

    private static string DescribeTime(StageChange change, double slower) => string.Create(
        CultureInfo.InvariantCulture,
        $"'{change.Kind}' takes {change.Ratio.Estimate:0.00} times as long (95 % interval {change.Ratio.Low:0.00} to " +
        $"{change.Ratio.High:0.00}) for the same work; {1 + slower:0.00} is allowed.");

    private static string DescribeScore(ScoreChange change)
    {
        var difference = change.Difference!;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{change.Method} on {change.Scenario}: {MetricNames.Get(change.Metric)} {Points.Format(difference.Estimate)} points " +
            $"(95 % interval {Points.FormatEnds(difference, " to ")}, " +
            $"adjusted p = {change.PValue:0.0000}).");
    }
}
