using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>Upper bound: the mean of the fine-tuned sources' logits. It stays several models, and costs as many.</summary>
internal sealed class EnsembleMethod : IMethod
{
    /// <inheritdoc />
    public string Name => "ensemble";

    /// <inheritdoc />
    public MethodRole Role => MethodRole.UpperBound;

    /// <inheritdoc />
    public int GetPasses(int budget, int sources) => sources * budget;

    /// <inheritdoc />
    public TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed)
    {
        var members = stages.FineTuneSources(seed).Select(model => new EvaluateStage(model, stages.Target));
        return new TrialStages(new EnsembleStage([.. members]), Outputs: []);
    }
}
