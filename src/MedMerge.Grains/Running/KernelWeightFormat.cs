using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Training;

namespace MedMerge.Grains.Running;

/// <summary>
/// Kernel-weight learning sends α, [sources × filters or 2D kernels], the head's weight, [classes × features], and its bias,
/// [classes], one after the other; gradients likewise.
/// </summary>
/// <param name="weights">Kernel weights of one source.</param>
internal sealed class KernelWeightFormat(Architecture architecture, int weights, int sources, int classes)
    : IShardFormat<KernelWeightStep, KernelWeightGradient, double>
{
    /// <summary>The format of a stage.</summary>
    public KernelWeightFormat(KernelWeightStage stage)
        : this(
            stage.Target.Architecture,
            KernelWeightMap.LayoutOf(stage.Target.Architecture, stage.Learning.Granularity).Count,
            stage.Sources.Count,
            stage.Target.Dataset.Classes)
    {
    }

    /// <inheritdoc />
    public double[] Write(KernelWeightStep step) => [.. step.Alpha.Values, .. step.Head.Weight, .. step.Head.Bias];

    /// <inheritdoc />
    public KernelWeightStep ReadStep(int epoch, int step, double[] values)
    {
        var (alpha, weight, bias) = Split(values);
        return new KernelWeightStep(epoch, step, alpha, new Head(weight, bias));
    }

    /// <inheritdoc />
    public double[] Write(KernelWeightGradient gradient) => [.. gradient.Alpha.Values, .. gradient.HeadWeight, .. gradient.HeadBias];

    /// <inheritdoc />
    public KernelWeightGradient ReadGradient(GradientPart answer, double[] values)
    {
        var (alpha, weight, bias) = Split(values);
        return new KernelWeightGradient(answer.Epoch, answer.Step, answer.Shard, answer.Images, answer.Loss, alpha, weight, bias);
    }

    private (KernelWeightMatrix Alpha, double[] Weight, double[] Bias) Split(double[] values)
    {
        var weightStart = sources * weights;
        var biasStart = weightStart + (classes * architecture.Features);
        var total = biasStart + classes;
        return values.Length == total
            ? (new KernelWeightMatrix(architecture, sources, values[..weightStart]), values[weightStart..biasStart], values[biasStart..])
            : throw new InvalidDataException($"{values.Length} numbers arrived; expected are {total}.");
    }
}
