using MedMerge.Data;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>Scores a source's linear probe on the validation split: what LP-FT starts from.</summary>
/// <param name="Model">The source with batch norm statistics of the target.</param>
/// <param name="Head">The probe.</param>
internal sealed record ScoreProbeStage(Stage Model, ProbeStage Head, TargetContext Target) : Stage
{
    /// <summary>Incremented when <see cref="Validation"/> gets another score, for which the anchor may be chosen.</summary>
    private const int ScoresVersion = 2;

    /// <inheritdoc />
    public override string Name => "score probe";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [Model, Head];

    /// <inheritdoc />
    protected override object Settings => new { Task = Target, Scores = ScoresVersion };

    /// <inheritdoc />
    public override double Cost => (double)Target.Dataset.Validation.Count * Target.Dataset.Height * Target.Dataset.Width;

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            using var model = StageFiles.ReadTensors(inputs[0], StageFiles.Model);
            var head = StageFiles.Read<Head>(inputs[1], StageFiles.Head);
            using var probed = head.ReplaceIn(Target.Architecture, model);
            var device = context.Device.Device;
            using var loader = new BatchLoader(Target.Dataset, device);
            var score = Scoring.Validate(Target.Architecture, probed, Target.Dataset, loader, device, cancellation);
            return new StageOutput(new Dictionary<string, byte[]>
            {
                [StageFiles.Score] = StageFiles.Write(score),
            });
        }, cancellation);
}
