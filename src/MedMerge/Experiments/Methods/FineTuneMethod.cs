using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>Fine-tuning one source.</summary>
internal sealed class FineTuneMethod : SingleSourceMethod
{
    /// <inheritdoc />
    public override string Name => "fine-tune";

    /// <inheritdoc />
    protected override TrialStages CreateStages(ScenarioStages stages, MethodRow row, Stage source, ulong seed) =>
        stages.FineTune(source, head: null, stages.Scenario.Budget, seed);
}
