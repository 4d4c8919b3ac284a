using MedMerge.Merging;
using MedMerge.Models;

namespace MedMerge.Experiments.Stages;

/// <summary>The initial α.</summary>
/// <param name="Anchor">Index of the source with the largest share; null for equal shares.</param>
/// <param name="AnchorWeight">The share of that source.</param>
internal sealed record KernelWeightInit(int? Anchor, double AnchorWeight)
{
    /// <summary>Equal shares of all sources.</summary>
    public static KernelWeightInit Uniform { get; } = new(null, 0);

    /// <summary>Creates the logits θ.</summary>
    public KernelWeightMatrix Theta(Architecture architecture, int sources) => Anchor is { } anchor
        ? KernelWeights.Anchored(architecture, sources, anchor, AnchorWeight)
        : new KernelWeightMatrix(architecture, sources);

    /// <summary>Creates α, the softmax of θ over the sources.</summary>
    public KernelWeightMatrix Alpha(Architecture architecture, int sources) =>
        KernelWeights.Softmax(Theta(architecture, sources));
}
