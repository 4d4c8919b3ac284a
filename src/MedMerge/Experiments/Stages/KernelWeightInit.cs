using System.Text.Json.Serialization;
using MedMerge.Merging;
using MedMerge.Models;

namespace MedMerge.Experiments.Stages;

/// <summary>The initial α.</summary>
/// <param name="Anchor">The source with the largest share; null for equal shares.</param>
/// <param name="AnchorWeight">The share of that source.</param>
internal sealed record KernelWeightInit(Anchor? Anchor, double AnchorWeight)
{
    /// <summary>Equal shares of all sources.</summary>
    public static KernelWeightInit Uniform { get; } = new(null, 0);

    /// <inheritdoc cref="Anchor.Inputs" />
    [JsonIgnore]
    public IReadOnlyList<Stage> Inputs => Anchor?.Inputs ?? [];

    /// <summary>Creates the logits θ.</summary>
    /// <param name="inputs">The outputs of a stage's inputs, those of <see cref="Inputs"/> at the end.</param>
    public KernelWeightMatrix Theta(Architecture architecture, int sources, IReadOnlyList<StageOutput> inputs) => Anchor is { } anchor
        ? KernelWeights.Anchored(architecture, sources, anchor.Find(inputs), AnchorWeight)
        : new KernelWeightMatrix(architecture, sources);

    /// <summary>Creates α, the softmax of θ over the sources.</summary>
    /// <inheritdoc cref="Theta" path="/param" />
    public KernelWeightMatrix Alpha(Architecture architecture, int sources, IReadOnlyList<StageOutput> inputs) =>
        KernelWeights.Softmax(Theta(architecture, sources, inputs));
}
