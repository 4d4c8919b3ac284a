using MedMerge.Experiments.Stages;
using MedMerge.Training;

namespace MedMerge.Experiments.Methods;

/// <summary>Baseline: the fine-tuned sources, averaged (model soups, Wortsman et al. 2022).</summary>
internal sealed class SoupMethod(SoupRecipe recipe) : CombinedMethod
{
    private readonly string _kind = recipe.ToString().ToLowerInvariant();

    /// <inheritdoc />
    public override string Name => $"{_kind}-soup";

    /// <inheritdoc />
    public override string Noun => $"{_kind} soup";

    /// <inheritdoc />
    /// <remarks>Each average that is looked at takes one for its batch norm statistics.</remarks>
    protected override int GetPassesOfCombining(int sources) => recipe == SoupRecipe.Greedy ? sources : 1;

    /// <inheritdoc />
    protected override Stage Combine(ScenarioStages stages, IReadOnlyList<Stage> models, ulong seed)
    {
        var settings = stages.Scenario.Settings;
        return new SoupStage(models, recipe, settings.FineTune.ShardBatchSize, settings.Metric, stages.Target);
    }
}
