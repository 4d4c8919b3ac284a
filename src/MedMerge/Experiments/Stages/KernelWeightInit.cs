using MedMerge.Merging;

namespace MedMerge.Experiments.Stages;

/// <summary>Where α starts.</summary>
/// <param name="Anchor">The source that leads, or null where all weigh the same.</param>
/// <param name="AnchorWeight">Its share.</param>
public sealed record KernelWeightInit(int? Anchor, double AnchorWeight)
{
    /// <summary>Every source the same.</summary>
    public static KernelWeightInit Uniform { get; } = new(null, 0);

    /// <summary>The logits, [sources × filters].</summary>
    public double[] Theta(int sources, int filters) => Anchor is { } anchor
        ? KernelWeights.Anchored(sources, filters, anchor, AnchorWeight)
        : new double[sources * filters];

    /// <summary>α, [sources × filters].</summary>
    public double[] Alpha(int sources, int filters) => KernelWeights.Softmax(Theta(sources, filters), sources);
}
