using MedMerge.Merging;
using MedMerge.Models;

namespace MedMerge.Experiments.Stages;

/// <summary>Where α starts.</summary>
/// <param name="Anchor">The source that leads, or null where all weigh the same.</param>
/// <param name="AnchorWeight">Its share.</param>
public sealed record KernelWeightInit(int? Anchor, double AnchorWeight)
{
    /// <summary>Every source the same.</summary>
    public static KernelWeightInit Uniform { get; } = new(null, 0);

    /// <summary>The logits.</summary>
    public KernelWeightMatrix Theta(Architecture architecture, int sources) => Anchor is { } anchor
        ? KernelWeights.Anchored(architecture, sources, anchor, AnchorWeight)
        : new KernelWeightMatrix(architecture, sources);

    /// <summary>α.</summary>
    public KernelWeightMatrix Alpha(Architecture architecture, int sources) => KernelWeights.Softmax(Theta(architecture, sources));
}
