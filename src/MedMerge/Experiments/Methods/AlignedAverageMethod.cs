using MedMerge.Experiments.Stages;
using MedMerge.Merging.Alignment;

namespace MedMerge.Experiments.Methods;

/// <summary>
/// Baseline: all sources' kernels averaged after their channels were aligned to the anchor's (Ainsworth et al. 2023), then fine-tuning.
/// They are aligned by activations unless the settings name another way.
/// </summary>
internal sealed class AlignedAverageMethod : IMethod
{
    /// <inheritdoc />
    public string Name => "aligned-average";

    /// <inheritdoc />
    public MethodRole Role => MethodRole.Baseline;

    /// <inheritdoc />
    public string Noun => "average of aligned sources";

    /// <inheritdoc />
    public TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed)
    {
        var alignment = stages.Alignment == AlignmentMethod.None ? AlignmentMethod.Activations : stages.Alignment;
        var probed = stages.ProbeOnce(row.Title, () => stages.Probe(stages.Sources, KernelWeightInit.Uniform, alignment));
        return stages.MergeAndFineTune(probed, stages.SourceNames, stages.Anchor, seed);
    }
}
