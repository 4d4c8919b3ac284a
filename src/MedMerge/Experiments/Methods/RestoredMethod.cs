using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>
/// One source with all that a merge gets but the partner: batch norm restored on the target, linear probe, then fine-tuning.
/// </summary>
internal sealed class RestoredMethod : SingleSourceMethod
{
    /// <inheritdoc />
    public override string Name => "restored";

    /// <inheritdoc />
    protected override TrialStages CreateStages(ScenarioStages stages, MethodRow row, Stage source, ulong seed)
    {
        var probed = stages.ProbeOnce(row.Title, () => stages.Probe([source], KernelWeightInit.Uniform));
        return stages.MergeAndFineTune(probed, [row.Source!], Anchor.At(0), seed);
    }
}
