using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Statistics;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>A model's answers on the splits it was not trained on.</summary>
public sealed record HeldOutPredictions(Predictions Validation, Predictions Test);

/// <summary>Lets a model answer on the validation and the test split.</summary>
public sealed record EvaluateStage(Stage Model, TargetContext Target) : Stage
{
    /// <inheritdoc />
    public override string Name => "evaluate";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [Model];

    /// <inheritdoc />
    protected override object Settings => new { Task = Target };

    /// <inheritdoc />
    public override double Cost => (double)(Target.Dataset.Validation.Count + Target.Dataset.Test.Count) * Target.Dataset.Height * Target.Dataset.Width;

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(IReadOnlyList<StageOutput> inputs, StageContext context, CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            using var weights = Safetensors.Read(inputs[0][StageFiles.Model], "an artefact").Tensors;
            using var network = new BatchNormNetwork(Target.Architecture, weights, context.Device.Device);
            using var loader = new BatchLoader(Target.Dataset, context.Device.Device);
            Predictions Predict(ImageSplit split) =>
                Scoring.Predict(images => network.Forward(images, training: false), split, Target.Dataset.Classes, loader, cancellation);
            var predictions = new HeldOutPredictions(Predict(Target.Dataset.Validation), Predict(Target.Dataset.Test));
            return new StageOutput(new Dictionary<string, byte[]> { [StageFiles.Predictions] = StageFiles.Write(predictions) });
        }, cancellation);
}
