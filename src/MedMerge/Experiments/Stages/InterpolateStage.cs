using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Statistics;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>
/// Goes back from a fine-tuned model towards what its fine-tuning began with (WiSE-FT, Wortsman et al. 2022): of eleven points on the line
/// between them the one that is best on the validation split; of equal ones the nearest to the fine-tuned model.
/// </summary>
/// <param name="Start">The model that fine-tuning began with.</param>
/// <param name="Head">The linear probe that it began with.</param>
/// <param name="Tuned">The fine-tuned model.</param>
internal sealed record InterpolateStage(Stage Start, Stage Head, Stage Tuned, Metric Metric, TargetContext Target) : Stage
{
    private const int Steps = 10;

    /// <inheritdoc />
    public override string Name => "interpolate";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [Start, Head, Tuned];

    /// <inheritdoc />
    protected override object Settings => new { Steps, Metric, Task = Target };

    /// <inheritdoc />
    public override double Cost => (double)Steps * Target.Dataset.Validation.Count * Target.Dataset.Height * Target.Dataset.Width;

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            using var backbone = StageFiles.ReadTensors(inputs[0], StageFiles.Model);
            using var start = StageFiles.Read<Head>(inputs[1], StageFiles.Head).ReplaceIn(Target.Architecture, backbone);
            using var tuned = StageFiles.ReadTensors(inputs[2], StageFiles.Model);
            IReadOnlyList<StateDict> ends = [start, tuned];
            var device = context.Device.Device;
            using var loader = new BatchLoader(Target.Dataset, device);
            CombinedModel? best = null;
            for (var step = Steps; step >= 0; step--)
            {
                var share = (double)step / Steps;
                using var candidate = ModelAverage.Combine(ends, [1 - share, share]);
                var score = Scoring.Validate(Target.Architecture, candidate, Target.Dataset, loader, device, cancellation);
                if (best is null || score.Get(Metric) > best.Validation.Get(Metric)) best = new CombinedModel([1 - share, share], score);
            }
            using var combined = ModelAverage.Combine(ends, best!.Coefficients);
            return new StageOutput(new Dictionary<string, byte[]>
            {
                [StageFiles.Model] = Safetensors.Write(combined, ModelMetadata.Of(Target.Architecture, Target.Signature)),
                [StageFiles.Coefficients] = StageFiles.Write(best),
            });
        }, cancellation);
}
