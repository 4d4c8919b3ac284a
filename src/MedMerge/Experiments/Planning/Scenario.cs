using MedMerge.Data;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Models;

namespace MedMerge.Experiments.Planning;

/// <summary>One target, one source set with its anchor, and one set of settings. It has one table and one verdict.</summary>
/// <param name="Name">Shown in tables and folder names; unique within a plan.</param>
/// <param name="Target">The loaded data set.</param>
/// <param name="Anchor">Index of the source that α starts from; null where that is the one with the best linear probe.</param>
/// <param name="Seeds">Each method runs once for each seed.</param>
internal sealed record Scenario(
    string Name,
    Architecture Architecture,
    ImageDataset Target,
    IReadOnlyList<ScenarioSource> Sources,
    int? Anchor,
    ScenarioSettings Settings,
    IReadOnlyList<ulong> Seeds)
{
    /// <summary>Passes over the training images for every method, over all stages.</summary>
    public int Budget => Settings.Budget;

    /// <inheritdoc cref="Specification.Halving" />
    public Halving? Halving { get; init; }

    /// <inheritdoc cref="Stage.Computation" />
    public string? Computation { get; init; }
}

/// <summary>A source model of a scenario.</summary>
/// <param name="Model">The source as specified.</param>
/// <param name="Stage">The stage that provides it: an import or a pretraining.</param>
internal sealed record ScenarioSource(SourceModel Model, Stage Stage)
{
    /// <summary>Its name in the specification.</summary>
    public string Name => Model.Name;

    /// <summary>The stage that provides it as it is, before its first layer is adapted to the target's images.</summary>
    public Stage Unadapted => Stage is AdaptInputStage adapted ? adapted.Source : Stage;

    /// <summary>Its name and origin for display: <c>cells (pretrained on phantom:cells (synthetic))</c>.</summary>
    public string Title => Unadapted is FineTuneStage { Target.Dataset: var data }
        ? $"{Name} ({(Model.From is { } from ? $"{from}, then trained" : "pretrained")} on {data.Title})"
        : $"{Name} ({Path.GetFileName(Model.Weights)})";
}
