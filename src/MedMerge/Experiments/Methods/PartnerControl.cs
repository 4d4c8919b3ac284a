using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>Base of controls that run MedMerge with something in place of all sources but the anchor.</summary>
/// <param name="kind">What the partner is, in one word: <c>untrained</c>.</param>
internal abstract class PartnerControl(string kind) : IMethod
{
    /// <inheritdoc />
    public string Name => $"{kind}-partner";

    /// <inheritdoc />
    public MethodRole Role => MethodRole.Control;

    /// <inheritdoc />
    public string Noun => $"{kind} partner";

    /// <inheritdoc />
    public bool IsolatesTransfer => true;

    /// <inheritdoc />
    public TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed)
    {
        var models = new List<Stage>(stages.Sources);
        var names = new List<string>(stages.SourceNames);
        for (var i = 0; i < models.Count; i++)
        {
            if (i == stages.Scenario.Anchor) continue;
            var partner = CreatePartner(stages, i, seed);
            models[i] = stages.Scenario.Anchor is null ? stages.ReplaceUnlessAnchor(i, partner, kind) : partner;
            names[i] = kind;
        }
        var probed = stages.Probe(models, stages.InitSources(), stages.Alignment);
        return stages.LearnMergeAndFineTune(probed, names, stages.Anchor, seed);
    }

    /// <summary>Creates what replaces a source.</summary>
    /// <param name="source">The source's index.</param>
    protected abstract Stage CreatePartner(ScenarioStages stages, int source, ulong seed);
}
