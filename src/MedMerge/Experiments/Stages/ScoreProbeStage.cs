using MedMerge.Data;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>Scores a source's linear probe on the validation split, with all else that a merge does to the source.</summary>
/// <param name="Model">The source merged with none, as the rows <c>restored</c> begin.</param>
internal sealed record ScoreProbeStage(MergeStage Model, TargetContext Target) : Stage
{
    /// <summary>Incremented when <see cref="Validation"/> gets another score, for which the anchor may be chosen.</summary>
    private const int ScoresVersion = 3;

    /// <inheritdoc />
    public override string Name => "score probe";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [Model];

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
            var device = context.Device.Device;
            using var loader = new BatchLoader(Target.Dataset, device);
            var score = Scoring.Validate(Target.Architecture, model, Target.Dataset, loader, device, cancellation);
            return new StageOutput(new Dictionary<string, byte[]>
            {
                [StageFiles.Score] = StageFiles.Write(score),
            });
        }, cancellation);
}
