using MedMerge.Models;
using MedMerge.Statistics;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>How a model was combined from others.</summary>
/// <param name="Coefficients">The share of each, in their order.</param>
/// <param name="Validation">What it scored on the validation split.</param>
internal sealed record CombinedModel(IReadOnlyList<double> Coefficients, Validation Validation);

/// <summary>Averages fine-tuned models.</summary>
/// <param name="Models">With classifiers.</param>
/// <param name="Kind">How their shares are found.</param>
/// <param name="BatchSize">Images of a batch that statistics are estimated on, as fine-tuning normalises by.</param>
/// <param name="Metric">What the greedy recipe chooses by.</param>
internal sealed record SoupStage(
    IReadOnlyList<Stage> Models,
    SoupRecipe Kind,
    int BatchSize,
    Metric Metric,
    TargetContext Target) : Stage
{
    /// <inheritdoc />
    public override string Name => "soup";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => Models;

    /// <inheritdoc />
    protected override object Settings => new { Kind, BatchSize, Metric, Task = Target };

    /// <inheritdoc />
    public override double Cost => Models.Count * Target.ForwardPass;

    /// <inheritdoc />
    public override long EstimateMemory() => Target.EstimateTraining(BatchSize, Models.Count);

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            using var models = new StoredModels(inputs);
            using var soup = new ModelSoup(
                Target.Architecture,
                models,
                Target.Dataset,
                BatchSize,
                Metric,
                context.Device.Device);
            var coefficients = soup.Find(Kind, cancellation);
            using var combined = soup.Combine(coefficients, cancellation);
            return new StageOutput(new Dictionary<string, byte[]>
            {
                [StageFiles.Model] = Safetensors.Write(combined, ModelMetadata.Of(Target.Architecture, Target.Signature)),
                [StageFiles.Coefficients] = StageFiles.Write(new CombinedModel(coefficients, soup.Score(combined, cancellation))),
            });
        }, cancellation);
}
