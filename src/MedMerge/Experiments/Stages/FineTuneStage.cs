using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>Trains a whole model on the target: fine-tuning, training from scratch and pretraining alike.</summary>
/// <param name="Start">The model it starts from.</param>
/// <param name="Head">A probe whose head replaces the model's classifier; null keeps a classifier of the target's classes, and starts from zero
/// where the model has another.</param>
/// <param name="KeepsHead">Whether the model's own classifier belongs to the target.</param>
public sealed record FineTuneStage(Stage Start, Stage? Head, bool KeepsHead, FineTuneSettings Training, TargetTask Task, ulong Seed) : Stage
{
    /// <inheritdoc />
    public override string Name => "fine-tune";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => Head is null ? [Start] : [Start, Head];

    /// <inheritdoc />
    protected override object Settings => new { KeepsHead, Training, Task, Seed };

    /// <inheritdoc />
    public override double Cost => Training.Epochs * Task.TrainingEpoch;

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(IReadOnlyList<StageOutput> inputs, StageContext context, CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            using var model = Safetensors.Read(inputs[0][StageFiles.Model], "an artefact").Tensors;
            using var start = WithHead(model, inputs);
            var result = FineTuning.Run(Task.Architecture, start, Task.Dataset, Training, Seed, context.Device.Device,
                record => context.Epochs(record, Training.Epochs), cancellation);
            using var weights = result.Weights;
            return new StageOutput(new Dictionary<string, byte[]>
            {
                [StageFiles.Model] = Safetensors.Write(weights, ModelMetadata.Of(Task.Architecture)),
                [StageFiles.Source] = StageFiles.Write(new SourceInfo(SourceHashOf(weights), [])),
                [StageFiles.History] = StageFiles.Write(result.History),
            });
        }, cancellation);

    private string SourceHashOf(StateDict weights) => Merging.SourceHash.Compute(Task.Architecture, weights);

    private StateDict WithHead(StateDict model, IReadOnlyList<StageOutput> inputs)
    {
        if (KeepsHead) return model.Clone();
        var start = new StateDict();
        foreach (var (name, tensor) in model)
            if (!name.StartsWith(Task.Architecture.Classifier + ".", StringComparison.Ordinal)) start.Add(name, tensor.clone());
        var (classes, features) = (Task.Dataset.Classes, Task.Architecture.Features);
        var head = Head is null ? new Head(new double[classes * features], new double[classes]) : StageFiles.Read<Head>(inputs[1], StageFiles.Head);
        head.AddTo(Task.Architecture, start);
        return start;
    }
}
