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
        return tuned with
        {
            Predictions = new EvaluateStage(wise, stages.Target),
            Outputs =
            [
                new TrialOutput(OutputRole.Model, wise, StageFiles.Model),
                new TrialOutput(OutputRole.Coefficients, wise, StageFiles.Coefficients),
                .. tuned.Outputs.Where(output => output.Role != OutputRole.Model),
            ],
        };
    }
}
