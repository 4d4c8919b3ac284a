using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Stages;

/// <summary>Folds the batch norm of a source into its kernels, or splits the two where batch norms are to be mixed.</summary>
internal sealed record PrepareStage(Stage Model, Architecture Architecture) : Stage
{
    /// <summary>What becomes of the batch norm.</summary>
    public BatchNormPolicy BatchNorm { get; init; }

    /// <inheritdoc />
    public override string Name => "prepare";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [Model];

    /// <inheritdoc />
    public override bool IsPrepared => true;

    /// <inheritdoc />
    protected override object Settings => BatchNorm == BatchNormPolicy.Fold ? new { } : new { BatchNorm };

    /// <inheritdoc />
    public override double Cost => 0;

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            using var weights = StageFiles.ReadTensors(inputs[0], StageFiles.Model);
            using var prepared = PreparedSource.Prepare("", Architecture, weights, BatchNorm);
            return new StageOutput(new Dictionary<string, byte[]>
            {
                [StageFiles.Prepared] = Safetensors.Write(prepared.Layers),
                [StageFiles.Source] = inputs[0][StageFiles.Source],
            });
        }, cancellation);
}
