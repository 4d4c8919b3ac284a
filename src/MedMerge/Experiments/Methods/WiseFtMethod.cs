using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>
/// LP-FT of one source, then back towards its start as far as is best on validation (WiSE-FT, Wortsman et al. 2022). The statistics of
/// batch norm are interpolated like all else: both ends have those of the target.
/// </summary>
internal sealed class WiseFtMethod : SingleSourceMethod
{
    /// <inheritdoc />
    public override string Name => "wise-ft";

    /// <inheritdoc />
    protected override TrialStages CreateStages(ScenarioStages stages, MethodRow row, Stage source, ulong seed)
    {
        var (restored, head, tuned) = LpFtMethod.Create(stages, row.Source!, source, seed);
        var model = tuned.GetOutput(OutputRole.Model).Stage;
        var wise = new InterpolateStage(restored, head, model, stages.Scenario.Settings.Metric, stages.Target);
        var coefficients = new TrialOutput(OutputRole.Coefficients, wise, StageFiles.Coefficients);
        return tuned.EndWith(wise, new EvaluateStage(wise, stages.Target), coefficients);
    }
}
