using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>
/// Base of baselines that fine-tune every source and make one model of the results. Each fine-tuning has the budget of the other methods,
/// so they cost as many passes as there are sources; tables show that.
/// </summary>
internal abstract class CombinedMethod : IMethod
{
    /// <inheritdoc />
    public abstract string Name { get; }

    /// <inheritdoc />
    public MethodRole Role => MethodRole.Baseline;

    /// <inheritdoc />
    public abstract string Noun { get; }

    /// <inheritdoc />
    public int GetPasses(int budget, int sources) => (sources * budget) + GetPassesOfCombining(sources);

    /// <inheritdoc />
    public TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed)
    {
        var combined = Combine(stages, stages.FineTuneSources(seed), seed);
        return new TrialStages(new EvaluateStage(combined, stages.Target), DescribeOutputs(combined));
    }

    /// <summary>Passes over the training images after fine-tuning.</summary>
    protected virtual int GetPassesOfCombining(int sources) => 1;

    /// <summary>Creates the stage that makes one model of several.</summary>
    protected abstract Stage Combine(ScenarioStages stages, IReadOnlyList<Stage> models, ulong seed);

    /// <summary>What the trial exports.</summary>
    protected virtual IReadOnlyList<TrialOutput> DescribeOutputs(Stage combined) =>
    [
        new TrialOutput(OutputRole.Model, combined, StageFiles.Model),
        new TrialOutput(OutputRole.Coefficients, combined, StageFiles.Coefficients),
    ];
}
