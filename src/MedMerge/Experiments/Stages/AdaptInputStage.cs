using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Stages;

/// <summary>Brings a source to the target's input normalisation, so that it computes what it was trained to.</summary>
/// <param name="From">The source's own; null where its file says it.</param>
/// <param name="To">The target's.</param>
internal sealed record AdaptInputStage(Stage Source, InputNormalisation? From, InputNormalisation To, Architecture Architecture) : Stage
{
    /// <inheritdoc />
    public override string Name => "adapt input";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [Source];

    /// <inheritdoc />
    protected override object Settings => new { From, To };

    /// <inheritdoc />
    public override double Cost => 0;

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            var source = StageFiles.Read<SourceInfo>(inputs[0], StageFiles.Source);
            var from = From ?? source.Signature?.Normalisation ?? throw new InputException(
                "A source's file does not say how its images were normalised; name it with the source's 'normalisation'.");
            using var model = StageFiles.ReadTensors(inputs[0], StageFiles.Model);
            using var adapted = InputAdaptation.Adapt(Architecture, model, from, To);
            var signature = new ModelSignature(To, Height: null, Width: null, source.Signature?.ClassNames ?? [])
            {
                IsMultiLabel = source.Signature?.IsMultiLabel ?? false,
            };
            return ImportStage.CreateSourceOutput(Architecture, adapted, source.Notes, signature);
        }, cancellation);
}
