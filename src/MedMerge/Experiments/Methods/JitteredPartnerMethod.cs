using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>
/// Control: MedMerge with the anchor itself in place of each partner, moved by noise as far as the partner is away. What it gains is
/// gained by averaging's smoothing, not by what a partner has learned.
/// </summary>
internal sealed class JitteredPartnerMethod() : PartnerControl("jittered")
{
    /// <inheritdoc />
    protected override Stage CreatePartner(ScenarioStages stages, int source, ulong seed) => new JitterStage(
        stages.Prepare(stages.GetAnchorModel().Model),
        stages.PrepareAligned(source),
        stages.Scenario.Architecture,
        seed,
        source);
}
