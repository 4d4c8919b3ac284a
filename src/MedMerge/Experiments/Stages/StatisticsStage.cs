using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Stages;

/// <summary>Re-estimates a model's batch norm statistics on the target; everything else of the model stays.</summary>
/// <param name="BatchSize">Images of a batch, as fine-tuning normalises by.</param>
internal sealed record StatisticsStage(Stage Model, int BatchSize, TargetContext Target) : Stage
{
    /// <inheritdoc />
    public override string Name => "statistics";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [Model];

    /// <inheritdoc />
    protected override object Settings => new { BatchSize, Task = Target };

    /// <inheritdoc />
    public override double Cost => Target.ForwardPass;

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            using var model = StageFiles.ReadTensors(inputs[0], StageFiles.Model);
            using var loader = new BatchLoader(Target.Dataset, context.Device.Device);
            using var restored = BatchNormStatistics.Estimate(
                Target.Architecture,
                model,
                Target.Dataset,
                BatchSize,
                loader,
                context.Device.Device,
                cancellation);
            var source = StageFiles.Read<SourceInfo>(inputs[0], StageFiles.Source);
            return new StageOutput(new Dictionary<string, byte[]>
            {
                [StageFiles.Model] = Safetensors.Write(restored),
                [StageFiles.Source] = StageFiles.Write(source with { Sha256 = SourceHash.Compute(Target.Architecture, restored) }),
            });
        }, cancellation);
}
