using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>
/// Linear probe of one source, then fine-tuning (Kumar et al. 2022). The source's batch norm statistics are first re-estimated on the
/// target, because fine-tuning normalises by the target's batches: a head probed on other statistics would not fit what it trains on.
/// </summary>
internal sealed class LpFtMethod : SingleSourceMethod
{
    /// <summary>The statistics and the probe take one pass each.</summary>
    private const int PassesBeforeFineTuning = 2;

    /// <inheritdoc />
    public override string Name => "lp-ft";

    /// <inheritdoc />
    protected override TrialStages CreateStages(ScenarioStages stages, MethodRow row, Stage source, ulong seed)
    {
        var restored = stages.RestoreStatistics(source);
        var probed = stages.ProbeOnce(row.Title, () => stages.Probe([restored], KernelWeightInit.Uniform));
        return stages.FineTune(restored, probed.Head, stages.Scenario.Budget - PassesBeforeFineTuning, seed);
    }
}
