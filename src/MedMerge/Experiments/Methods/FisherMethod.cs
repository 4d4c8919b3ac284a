using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>Baseline: the fine-tuned sources, averaged by their Fisher information (Matena and Raffel 2022).</summary>
internal sealed class FisherMethod : CombinedMethod
{
    /// <inheritdoc />
    public override string Name => "fisher";

    /// <inheritdoc />
    public override string Noun => "Fisher-weighted average";

    /// <inheritdoc />
    /// <remarks>One for each model's Fisher information, one for the batch norm statistics.</remarks>
    protected override int GetPassesOfCombining(int sources) => sources + 1;

    /// <inheritdoc />
    protected override Stage Combine(ScenarioStages stages, IReadOnlyList<Stage> models, ulong seed) =>
        new FisherStage(models, stages.Scenario.Settings.FineTune.ShardBatchSize, stages.Target, seed);

    /// <inheritdoc />
    protected override IReadOnlyList<TrialOutput> DescribeOutputs(Stage combined) =>
        [new TrialOutput(OutputRole.Model, combined, StageFiles.Model)];
}
