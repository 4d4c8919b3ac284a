using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>Base of controls that run MedMerge with something in place of all sources but the anchor.</summary>
internal abstract class PartnerControl : IMethod
{
    /// <inheritdoc />
    public abstract string Name { get; }

    /// <inheritdoc />
    public MethodRole Role => MethodRole.Control;

    /// <inheritdoc />
    public abstract string Noun { get; }

    /// <inheritdoc />
    public bool IsolatesTransfer => true;

    /// <summary>The name of what replaces a partner, for the file of kernel weights.</summary>
    protected abstract string PartnerName { get; }

    /// <inheritdoc />
    public TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed)
    {
        var anchor = stages.Scenario.Anchor;
        var models = new List<Stage>(stages.Sources);
        var names = new List<string>(stages.SourceNames);
        for (var i = 0; i < models.Count; i++)
        {
            if (i == anchor) continue;
            models[i] = CreatePartner(stages, i, seed);
            names[i] = PartnerName;
        }
        var probed = stages.Probe(models, stages.InitAtAnchor(anchor));
        return stages.LearnMergeAndFineTune(probed, names, anchor, seed);
    }

    /// <summary>Creates what replaces a source.</summary>
    /// <param name="source">The source's index.</param>
    protected abstract Stage CreatePartner(ScenarioStages stages, int source, ulong seed);
}
