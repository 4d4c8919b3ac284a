using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Storage;

namespace MedMerge.Gateway.Queries;

/// <summary>A trial with all that is known of it.</summary>
/// <param name="Stored">What became of it.</param>
/// <param name="Result">Null where it has none yet.</param>
/// <param name="Files">The files that it exports, as the API names them; none before it is done.</param>
internal sealed record TrialView(
    SweepRecord Sweep,
    PlanSummary Plan,
    PlannedTrial Trial,
    TrialRecord Stored,
    TrialResult? Result,
    IReadOnlyList<string> Files)
{
    /// <summary>Its scenario.</summary>
    public ScenarioSummary Scenario => Plan.GetScenario(Trial);
}
