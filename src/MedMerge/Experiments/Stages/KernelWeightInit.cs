using System.Text.Json.Serialization;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>The initial α.</summary>
/// <param name="Anchor">The source with the largest share; null for equal shares.</param>
/// <param name="AnchorWeight">The share of that source.</param>
internal sealed record KernelWeightInit(Anchor? Anchor, double AnchorWeight)
{
    /// <summary>Equal shares of all sources.</summary>
    public static KernelWeightInit Uniform { get; } = new(null, 0);

    /// <summary>For each layer the source that gives it alone, or −1; null where α is learned in all of them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? LayerSources { get; init; }

    /// <inheritdoc cref="Anchor.Inputs" />
    [JsonIgnore]
    public IReadOnlyList<Stage> Inputs => Anchor?.Inputs ?? [];

    /// <summary>Creates the numbers θ that learning starts from.</summary>
    /// <param name="inputs">The outputs of a stage's inputs, those of <see cref="Inputs"/> at the end.</param>
    public double[] Theta(KernelWeightMap map, IReadOnlyList<StageOutput> inputs) => map.Start(Anchor?.Find(inputs), AnchorWeight);

    /// <summary>Creates α.</summary>
    /// <inheritdoc cref="Theta" path="/param" />
    public KernelWeightMatrix Alpha(Architecture architecture, int sources, IReadOnlyList<StageOutput> inputs)
    {
        var learning = new KernelWeightSettings(); // the same α, however it is learned
        var map = new KernelWeightMap(architecture, sources, learning, LayerSources);
        return map.ToAlpha(Theta(map, inputs));
    }
}
