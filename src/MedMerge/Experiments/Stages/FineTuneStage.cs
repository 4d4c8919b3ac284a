using MedMerge.Merging;
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
    public override async Task<StageOutput> ExecuteAsync(IReadOnlyList<StageOutput> inputs, StageContext context, CancellationToken cancellation)
    {
        var saved = await context.Checkpoints.LoadAsync(cancellation).ConfigureAwait(false);
        var tuner = await context.Device.RunAsync(() => Begin(inputs, saved, context), cancellation).ConfigureAwait(false);
        try
        {
            while (!tuner.IsDone)
            {
                var (epoch, state) = await context.Device.RunAsync(() => (tuner.RunEpoch(cancellation), tuner.Save()), cancellation).ConfigureAwait(false);
                context.Epochs(epoch, Training.Epochs);
                await context.Checkpoints.SaveAsync(state, cancellation).ConfigureAwait(false);
            }
            return await context.Device.RunAsync(() => new StageOutput(new Dictionary<string, byte[]>
            {
                [StageFiles.Model] = Safetensors.Write(tuner.BestWeights, ModelMetadata.Of(Task.Architecture)),
                [StageFiles.Source] = StageFiles.Write(new SourceInfo(SourceHash.Compute(Task.Architecture, tuner.BestWeights), [])),
                [StageFiles.History] = StageFiles.Write(tuner.History),
            }), cancellation).ConfigureAwait(false);
        }
        finally
        {
            await context.Device.RunAsync(tuner.Dispose, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private FineTuner Begin(IReadOnlyList<StageOutput> inputs, byte[]? saved, StageContext context)
    {
        using var model = Safetensors.Read(inputs[0][StageFiles.Model], "an artefact").Tensors;
        using var start = WithHead(model, inputs);
        var tuner = new FineTuner(Task.Architecture, start, startCounts: Start is not UntrainedStage, Task.Dataset, Training, Seed, context.Device.Device);
        if (saved is not null) tuner.Restore(saved);
        return tuner;
    }

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
