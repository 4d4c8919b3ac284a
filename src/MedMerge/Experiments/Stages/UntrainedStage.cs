using MedMerge.Models;

namespace MedMerge.Experiments.Stages;

/// <summary>Draws an untrained model.</summary>
/// <param name="Index">Tells several of the same seed apart; 0 is where training from scratch starts.</param>
public sealed record UntrainedStage(Architecture Architecture, int Classes, ulong Seed, int Index) : Stage
{
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
            using var weights = Architecture.Initialise((Seed << 8) + (ulong)Index, Classes);
            return ImportStage.SourceOutput(Architecture, weights, []);
        }, cancellation);
}
