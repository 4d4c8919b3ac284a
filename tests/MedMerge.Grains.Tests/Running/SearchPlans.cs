using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;

namespace MedMerge.Grains.Tests.Running;

/// <summary>Plans of searches that compute nothing.</summary>
internal static class SearchPlans
{
    /// <summary>Candidates for one target and set of sources.</summary>
    /// <param name="rungs">Before the end; 0 for a sweep without a search.</param>
    public static PlanSummary Create(int candidates, int seeds, int rungs, int factor = 2)
    {
        var target = new TargetSummary("target", IsSynthetic: true, "hash", 10, [], []);
        var source = new SourceSummary("source", "source", "stage", null, null);
        var scenarios = Enumerable.Range(0, candidates).Select(candidate => new ScenarioSummary(
            $"candidate {candidate}",
            "resnet20",
            target,
            [source],
            "source",
            new ScenarioSettings(),
            [.. Enumerable.Range(0, seeds).Select(seed => (ulong)seed)]));
        var trials = Enumerable.Range(0, candidates * seeds).Select(trial => new PlannedTrial(
            trial + 1,
            trial / seeds,
            "scratch",
            Source: null,
            (ulong)(trial % seeds),
            $"predictions {trial / seeds} {trial % seeds}", // the same in a larger plan
            [],
            [])
        {
            Rungs = [.. Enumerable.Range(0, rungs).Select(rung => $"rung {trial / seeds} {trial % seeds} {rung}")],
        });
        return new PlanSummary("search", null, [.. scenarios], [], [.. trials], [])
        {
            Halving = rungs == 0 ? null : new Halving(factor, 1),
            IsSearch = rungs > 0,
        };
    }
}
