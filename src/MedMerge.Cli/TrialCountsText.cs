using MedMerge.Grains;

namespace MedMerge.Cli;

/// <summary>A sweep's counts in words.</summary>
internal static class TrialCountsText
{
    /// <summary>How many trials have a result, and what became of the others.</summary>
    public static string Describe(TrialCounts counts)
    {
        (int Count, string Text)[] others =
        [
            (counts.Running, "running"),
            (counts.Waiting, "waiting"),
            (counts.StoppedEarly, "stopped early"),
            (counts.Failed, $"failed{DescribeKinds(counts)}"),
            (counts.Quarantined, "quarantined"),
            (counts.Cancelled, "cancelled"),
        ];
        var result = $"{counts.Done} of {counts.Total} trials {(counts.Done == 1 ? "has" : "have")} a result";
        return string.Join(", ", [result, .. others.Where(other => other.Count > 0).Select(other => $"{other.Count} {other.Text}")]);
    }

    private static string DescribeKinds(TrialCounts counts)
    {
        (int Count, FailureKind Kind)[] kinds =
        [
            (counts.FailedTransient, FailureKind.Transient),
            (counts.FailedPermanent, FailureKind.Permanent),
            (counts.FailedNodeBad, FailureKind.NodeBad),
        ];
        var failed = kinds.Where(kind => kind.Count > 0).ToList();
        return failed.Count == 1
            ? $" ({failed[0].Kind})"
            : $" ({string.Join(", ", failed.Select(kind => $"{kind.Count} {kind.Kind}"))})";
    }
}
