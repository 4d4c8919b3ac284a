using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Statistics;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>A model's predictions on the splits that it was not trained on.</summary>
internal sealed record HeldOutPredictions(Predictions Validation, Predictions Test)
{
    /// <summary>The same, where an image may have several labels, with the thresholds that are best on the validation images.</summary>
    public HeldOutPredictions WithThresholds()
    {
        var validation = LabelThresholds.Fit(Validation);
        return new HeldOutPredictions(validation, Test with { Thresholds = validation.Thresholds });
    }
}

/// <summary>Computes a model's predictions on the validation and the test split.</summary>
internal sealed record EvaluateStage(Stage Model, TargetContext Target) : Stage
{
    /// <inheritdoc />
    public override string Name => "evaluate";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [Model];

    /// <inheritdoc />
    protected override object Settings => new { Task = Target };

    /// <inheritdoc />
    public override double Cost
    {
        get
        {
            var dataset = Target.Dataset;
            return (double)(dataset.Validation.Count + dataset.Test.Count) * dataset.Height * dataset.Width;
        }
    }

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            using var weights = StageFiles.ReadTensors(inputs[0], StageFiles.Model);
            using var network = new BatchNormNetwork(Target.Architecture, weights, context.Device.Device);
            using var loader = new BatchLoader(Target.Dataset, context.Device.Device);
            var predictions = new HeldOutPredictions(Predict(Target.Dataset.Validation), Predict(Target.Dataset.Test)).WithThresholds();
            return new StageOutput(new Dictionary<string, byte[]>
            {
                [StageFiles.Predictions] = StageFiles.Write(predictions),
            });

            Predictions Predict(ImageSplit split) => Scoring.Predict(
                images => network.Forward(images, training: false),
                split,
                Target.Dataset.Classes,
                loader,
                cancellation);
        }, cancellation);
}
