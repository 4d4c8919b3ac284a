using MedMerge.Experiments.Planning;

namespace MedMerge.Experiments.Results;

/// <summary>A planned trial that has no result.</summary>
/// <param name="HasFailed">Whether it ended without one; otherwise it has not ended, or was never begun.</param>
internal sealed record MissingTrial(PlannedTrial Trial, bool HasFailed)
{
    /// <summary>Says how many of some planned trials have no result, and how many of those failed.</summary>
    /// <param name="noun">What the planned ones are called: <c>trials</c>.</param>
    public static string Describe(IReadOnlyCollection<MissingTrial> missing, int planned, string noun)
    {
        var failed = missing.Count(trial => trial.HasFailed);
        var count = $"{missing.Count} of {planned} {noun} {(missing.Count == 1 ? "has" : "have")} no result";
        if (failed == 0) return count;
        return failed == missing.Count ? $"{missing.Count} of {planned} {noun} failed" : $"{count}, {failed} of them failed";
    }
}
