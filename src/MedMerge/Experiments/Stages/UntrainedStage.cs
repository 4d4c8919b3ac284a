using MedMerge.Data;
using MedMerge.Models;

namespace MedMerge.Experiments.Stages;

/// <summary>Draws an untrained model.</summary>
/// <param name="Index">Tells several of the same seed apart: 0 is where training from scratch starts, 1 and up are untrained partners.</param>
public sealed record UntrainedStage(Architecture Architecture, int Classes, ulong Seed, int Index) : Stage
{
    /// <summary>The index of models that are pretrained: a source never shares its start with a baseline of the same seed.</summary>
    public const int Pretraining = -1;

    /// <inheritdoc />
    public override string Name => "initialise";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [];

    /// <inheritdoc />
    protected override object Settings => new { Architecture.Title, Classes, Seed, Index };

    /// <inheritdoc />
    public override double Cost => 0;

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(IReadOnlyList<StageOutput> inputs, StageContext context, CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            using var weights = Architecture.Initialise(new RandomStream(Seed, StreamKeys.Initialisation, unchecked((ulong)Index)).NextBits(), Classes);
            return ImportStage.SourceOutput(Architecture, weights, []);
        }, cancellation);
}
