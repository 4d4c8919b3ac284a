using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>Control: MedMerge with untrained models in place of all sources but the anchor.</summary>
internal sealed class UntrainedPartnerMethod : IMethod
{
    private const string PartnerName = "untrained";

    /// <inheritdoc />
    public string Name => "untrained-partner";

    /// <inheritdoc />
    public MethodRole Role => MethodRole.Control;

    /// <inheritdoc />
    public string Noun => "untrained partner";

    /// <inheritdoc />
    public bool IsolatesTransfer => true;

    /// <inheritdoc />
    public TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed)
    {
        var anchor = stages.Scenario.Anchor;
        var models = new List<Stage>(stages.Sources);
        var names = new List<string>(stages.SourceNames);
        for (var i = 0; i < models.Count; i++)
        {
            if (i == anchor) continue;
            models[i] = stages.DrawUntrained(seed, i + 1);
            names[i] = PartnerName;
        }
        var probed = stages.Probe(models, stages.InitAtAnchor(anchor));
        return stages.LearnMergeAndFineTune(probed, names, seed);
    }
}
