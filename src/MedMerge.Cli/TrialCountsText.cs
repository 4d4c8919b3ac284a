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

    /// <summary>The kinds as <c>medmerge retry --kind</c> takes them.</summary>
    private static string DescribeKinds(TrialCounts counts)
    {
        (int Count, string Kind)[] kinds =
        [
            (counts.FailedTransient, "transient"),
            (counts.FailedPermanent, "permanent"),
            (counts.FailedNodeBad, "nodeBad"),
        ];
        var failed = kinds.Where(kind => kind.Count > 0).ToList();
        return failed.Count == 1
            ? $" ({failed[0].Kind})"
            : $" ({string.Join(", ", failed.Select(kind => $"{kind.Count} {kind.Kind}"))})";
    }
}
