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
    protected override TrialStages CreateStages(ScenarioStages stages, MethodRow row, Stage source, ulong seed) =>
        Create(stages, row.Source!, source, seed).Tuned;

    /// <summary>Creates its stages.</summary>
    /// <param name="name">The source's name.</param>
    internal static LpFtStages Create(ScenarioStages stages, string name, Stage source, ulong seed)
    {
        var restored = stages.RestoreStatistics(source);
        var head = stages.ProbeOnce($"lp-ft {name}", () => stages.Probe([stages.Fold(restored)], KernelWeightInit.Uniform)).Head;
        var tuned = stages.FineTune(restored, head, stages.Scenario.Budget - PassesBeforeFineTuning, seed);
        return new LpFtStages(restored, head, tuned);
    }
}

/// <summary>The stages of LP-FT.</summary>
/// <param name="Restored">The source with batch norm statistics of the target.</param>
/// <param name="Head">Its linear probe.</param>
/// <param name="Tuned">Those of the fine-tuning.</param>
internal sealed record LpFtStages(Stage Restored, Stage Head, TrialStages Tuned);
