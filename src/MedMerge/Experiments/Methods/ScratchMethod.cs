namespace MedMerge.Experiments.Methods;

/// <summary>Baseline: from random weights.</summary>
internal sealed class ScratchMethod : IMethod
{
    /// <inheritdoc />
    public string Name => "scratch";

    /// <inheritdoc />
    public MethodRole Role => MethodRole.Baseline;

    /// <inheritdoc />
    public TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed) =>
        stages.FineTune(stages.DrawUntrained(seed, index: 0), head: null, stages.Scenario.Budget, seed);
}
