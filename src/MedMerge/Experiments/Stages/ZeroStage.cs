using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Stages;

/// <summary>Creates the prepared partner of the self-scale control, which is all zeros.</summary>
internal sealed record ZeroStage(Architecture Architecture) : Stage
{
    /// <summary>The form of the partner's layers.</summary>
    public BatchNormPolicy BatchNorm { get; init; }

    /// <inheritdoc />
    public override string Name => "zero";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [];

    /// <inheritdoc />
    public override bool IsPrepared => true;

    /// <inheritdoc />
    protected override object Settings => BatchNorm == BatchNormPolicy.Fold
        ? new { Architecture.Title }
        : new { Architecture.Title, BatchNorm };

    /// <inheritdoc />
    public override double Cost => 0;

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            using var zero = PreparedSource.Zero(Architecture, BatchNorm);
            return PreparedSources.Write(zero.Layers, new SourceInfo("zero", []));
        }, cancellation);
}
