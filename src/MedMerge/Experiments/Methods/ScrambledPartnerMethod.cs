using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>
/// Control: MedMerge with the partners' filters shuffled within each layer. That keeps the size and shape of every kernel, which an
/// untrained partner does not match, and destroys what the partner computes.
/// </summary>
internal sealed class ScrambledPartnerMethod() : PartnerControl("scrambled")
{
    /// <inheritdoc />
    protected override Stage CreatePartner(ScenarioStages stages, int source, ulong seed) =>
        new ScrambleStage(stages.Prepare(stages.Sources[source]), stages.Scenario.Architecture, seed, source);
}
