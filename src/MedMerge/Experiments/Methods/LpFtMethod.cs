using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>Linear probe of one source, then fine-tuning (Kumar et al. 2022).</summary>
internal sealed class LpFtMethod : SingleSourceMethod
{
    /// <summary>The probe takes one pass.</summary>
    private const int PassesBeforeFineTuning = 1;

    /// <inheritdoc />
    public override string Name => "lp-ft";

    /// <inheritdoc />
    protected override TrialStages CreateStages(ScenarioStages stages, MethodRow row, Stage source, ulong seed)
    {
        var probed = stages.ProbeOnce(row.Title, () => stages.Probe([source], KernelWeightInit.Uniform));
        return stages.FineTune(source, probed.Head, stages.Scenario.Budget - PassesBeforeFineTuning, seed);
    }
}
