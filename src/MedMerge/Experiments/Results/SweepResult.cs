using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;

namespace MedMerge.Experiments.Results;

/// <summary>The results of a sweep's finished trials.</summary>
/// <param name="Scenarios">The plan's scenarios that have a finished trial.</param>
internal sealed record SweepResult(PlanSummary Plan, IReadOnlyList<ScenarioResult> Scenarios)
{
    /// <summary>Reads the outputs of finished trials, and compares the methods of each scenario.</summary>
    /// <param name="finished">Trials whose outputs are in the store.</param>
    /// <exception cref="MissingOutputException">An output is missing or damaged.</exception>
    public static async Task<SweepResult> ReadAsync(
        PlanSummary plan,
        IEnumerable<PlannedTrial> finished,
        IStageStore store,
        CancellationToken cancellation)
    {
        var results = new List<TrialResult>();
        foreach (var trial in finished) results.Add(await ReadTrialAsync(trial, store, cancellation).ConfigureAwait(false));
        var scenarios = results
            .GroupBy(result => result.Trial.Scenario)
            .OrderBy(group => group.Key)
            .Select(group => ScenarioResult.Compare(plan.Scenarios[group.Key], [.. group], cancellation));
        return new SweepResult(plan, [.. scenarios]);
    }

    private static async Task<TrialResult> ReadTrialAsync(
        PlannedTrial trial,
        IStageStore store,
        CancellationToken cancellation)
    {
        var last = await store.GetAsync(trial.Predictions, cancellation).ConfigureAwait(false);
        var predictions = StageFiles.Read<HeldOutPredictions>(last, StageFiles.Predictions);
        var certificate = await ReadAsync<Certificate>(OutputRole.Certificate).ConfigureAwait(false);
        var rate = await ReadAsync<LearningRateChoice>(OutputRole.LearningRate).ConfigureAwait(false);
        return new TrialResult(trial, predictions, certificate, rate);

        async Task<T?> ReadAsync<T>(OutputRole role) where T : class
        {
            if (trial.FindOutput(role) is not { } found) return null;
            var output = await store.GetAsync(found.Stage, cancellation).ConfigureAwait(false);
            return StageFiles.Read<T>(output, found.Artefact);
        }
    }
}
