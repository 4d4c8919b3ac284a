using MedMerge.Data;
using MedMerge.Models;

namespace MedMerge.Experiments.Stages;

/// <summary>Draws the random weights of an untrained model.</summary>
/// <param name="Index">
/// Distinguishes models of the same seed: 0 for training from scratch, 1 and up for untrained partners.
/// </param>
internal sealed record UntrainedStage(Architecture Architecture, int Classes, ulong Seed, int Index) : Stage
{
    /// <summary>
    /// The index for pretraining, so that a source never starts from the weights of a baseline with the same seed.
    /// </summary>
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
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            var random = new RandomStream(Seed, StreamKeys.Initialisation, unchecked((ulong)Index));
            using var weights = Architecture.Initialise(random.NextBits(), Classes);
            return ImportStage.CreateSourceOutput(Architecture, weights, []);
        }, cancellation);
}
