using MedMerge.Experiments.Planning;

namespace MedMerge.Experiments.Results;

/// <summary>A planned trial that has no result.</summary>
internal sealed record MissingTrial(PlannedTrial Trial, MissingState State)
{
    /// <summary>Whether it should have a result, and ended without one.</summary>
    public bool HasFailed => State == MissingState.Failed;

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
