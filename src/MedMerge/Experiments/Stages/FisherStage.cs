using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>Averages fine-tuned models, each parameter weighted by its Fisher information on the target's training images.</summary>
/// <param name="Models">With classifiers.</param>
/// <param name="BatchSize">Images of a batch that statistics are estimated on, as fine-tuning normalises by.</param>
internal sealed record FisherStage(IReadOnlyList<Stage> Models, int BatchSize, TargetContext Target, ulong Seed) : Stage
{
    /// <inheritdoc />
    public override string Name => "fisher average";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => Models;

    /// <inheritdoc />
    protected override object Settings => new { BatchSize, Task = Target, Seed };

    /// <inheritdoc />
    public override double Cost => Models.Count * 3 * Target.ForwardPass;

    /// <inheritdoc />
    public override long EstimateMemory() => Target.EstimateTraining(BatchSize, Models.Count);

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            var device = context.Device.Device;
            using var models = new StoredModels(inputs);
            using var loader = new BatchLoader(Target.Dataset, device);
            using var average = FisherAverage.Combine(
                Target.Architecture,
                models,
                Target.Dataset,
                Seed,
                loader,
                device,
                cancellation);
            using var combined = BatchNormStatistics.Estimate(
                Target.Architecture,
                average,
                Target.Dataset,
                BatchSize,
                loader,
                device,
                cancellation);
            return new StageOutput(new Dictionary<string, byte[]>
            {
                [StageFiles.Model] = Safetensors.Write(combined, ModelMetadata.Of(Target.Architecture, Target.Signature)),
            });
        }, cancellation);
}
