using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>Creates a trial's stages with the end that <see cref="ScenarioSettings.Select"/> wants.</summary>
internal static class BestModel
{
    /// <summary>The stages of one trial.</summary>
    /// <param name="rows">The rows that are compared, this one among them.</param>
    public static TrialStages CreateStages(ScenarioStages stages, IReadOnlyList<MethodRow> rows, MethodRow row, ulong seed)
    {
        var own = row.Method.CreateStages(stages, row, seed);
        var settings = stages.Scenario.Settings;
        if (settings.Select == ModelChoice.Merged || row.Role != MethodRole.Proposed) return own;
        var rivals = FindRivals(rows).Select(rival => CreateCandidate(rival, rival.Method.CreateStages(stages, rival, seed)));
        var kept = new KeepBestStage([CreateCandidate(row, own), .. rivals], settings.Metric);
        return own.EndWith(kept, kept, new TrialOutput(OutputRole.Selection, kept, StageFiles.Selection));
    }

    /// <summary>The rows whose models are kept where a merge is not better.</summary>
    public static IEnumerable<MethodRow> FindRivals(IEnumerable<MethodRow> rows) =>
        rows.Where(row => row.Role == MethodRole.SingleSource);

    private static KeepCandidate CreateCandidate(MethodRow row, TrialStages stages) =>
        new(row.Title, stages.GetOutput(OutputRole.Model).Stage, stages.Predictions);
}
