using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>Control: MedMerge with untrained models in place of all sources but the anchor.</summary>
internal sealed class UntrainedPartnerMethod() : PartnerControl("untrained")
{
    /// <inheritdoc />
    protected override Stage CreatePartner(ScenarioStages stages, int source, ulong seed) => stages.DrawUntrained(seed, source + 1);
}
