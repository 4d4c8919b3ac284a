namespace MedMerge.Experiments.Methods;

/// <summary>Learned kernel weights over all sources, then fine-tuning (MedMerge, arXiv 2403.11646).</summary>
internal sealed class MedMergeMethod : IMethod
{
    /// <inheritdoc />
    public string Name => "medmerge";

    /// <inheritdoc />
    public MethodRole Role => MethodRole.Proposed;

    /// <inheritdoc />
    public TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed)
    {
        var init = stages.InitSources();
        var probed = stages.ProbeOnce(row.Title, () => stages.Probe(stages.Sources, init, stages.Alignment));
        return stages.LearnMergeAndFineTune(probed, stages.SourceNames, stages.Anchor, seed);
    }
}
