using MedMerge.Experiments.Stages;

namespace MedMerge.Experiments.Methods;

/// <summary>Baseline: all sources' kernels averaged, then fine-tuning.</summary>
internal sealed class AverageMethod : IMethod
{
    /// <summary>The probe and the batch norm statistics take one pass each.</summary>
    private const int PassesBeforeFineTuning = 2;

    /// <inheritdoc />
    public string Name => "average";

    /// <inheritdoc />
    public MethodRole Role => MethodRole.Baseline;

    /// <inheritdoc />
    public TrialStages CreateStages(ScenarioStages stages, MethodRow row, ulong seed)
    {
        var probed = stages.ProbeOnce(row.Title, () => stages.Probe(stages.Sources, KernelWeightInit.Uniform));
        var merge = new MergeStage(probed.Sources, stages.SourceNames, probed.Head, probed.Init, stages.Target);
        return stages.FineTuneMerge(merge, stages.Scenario.Budget - PassesBeforeFineTuning, seed);
    }
}
