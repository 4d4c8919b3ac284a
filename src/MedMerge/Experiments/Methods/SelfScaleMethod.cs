using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>Control: the anchor alone, its kernels weighted by merging it with zeros.</summary>
internal sealed class SelfScaleMethod : IMethod
{
    private const string PartnerName = "zero";

    /// <inheritdoc />
    public string Name => "self-scale";

    /// <inheritdoc />
    public MethodRole Role => MethodRole.Control;

    /// <inheritdoc />
    public string Noun => "self-scaled anchor";

    /// <inheritdoc />
    public TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed)
    {
        var (model, name) = stages.GetAnchorModel();
        var first = Anchor.At(0);
        var probed = stages.ProbeOnce(row.Title, () =>
            stages.Probe([model, stages.CreateZero()], stages.InitAtAnchor(first)));
        return stages.LearnMergeAndFineTune(probed, [name, PartnerName], first, seed);
    }
}
