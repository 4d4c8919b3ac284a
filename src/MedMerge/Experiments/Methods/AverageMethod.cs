using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>Baseline: all sources' kernels averaged, then fine-tuning.</summary>
internal sealed class AverageMethod : IMethod
{
    /// <inheritdoc />
    public string Name => "average";

    /// <inheritdoc />
    public MethodRole Role => MethodRole.Baseline;

    /// <inheritdoc />
    public string Noun => "plain average";

    /// <inheritdoc />
    public bool IsolatesLearning => true;

    /// <inheritdoc />
    public TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed)
    {
        var probed = stages.ProbeOnce(row.Title, () => stages.Probe(stages.Sources, KernelWeightInit.Uniform, stages.Alignment));
        return stages.MergeAndFineTune(probed, stages.SourceNames, stages.Anchor, seed);
    }
}
