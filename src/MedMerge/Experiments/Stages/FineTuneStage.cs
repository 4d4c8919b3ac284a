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
public sealed record FineTuneStage(Stage Start, Stage? Head, bool KeepsHead, FineTuneSettings Training, TargetContext Target, ulong Seed)
    : Stage, IShardedStage<FineTuneGradientComputer>
{
    /// <inheritdoc />
    public override string Name => Telemetry.Instruments.FineTune;

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => Head is null ? [Start] : [Start, Head];

    /// <inheritdoc />
    public override bool HasCoordinator => Training.Shards > 1;

    /// <inheritdoc />
    public int Shards => Training.Shards;

    /// <inheritdoc />
    public IReadOnlyList<Stage> ShardInputs => Inputs;

    /// <summary>Random weights are never the best epoch.</summary>
    private bool StartCounts => Start is not UntrainedStage;

    /// <inheritdoc />
    protected override object Settings => new { KeepsHead, Training, Task = Target, Seed };

    /// <inheritdoc />
    public override double Cost => Training.Epochs * Target.TrainingEpoch;

    /// <inheritdoc />
    /// <remarks>All shards on one device.</remarks>
    public override async Task<StageOutput> ExecuteAsync(IReadOnlyList<StageOutput> inputs, StageContext context, CancellationToken cancellation)
    {
        if (!HasCoordinator) return await TuneAsync(inputs, context, cancellation).ConfigureAwait(false);
        var computer = await context.Device.RunAsync(() => Open(inputs, context.Device.Device, memoryLimit: null), cancellation).ConfigureAwait(false);
        try
        {
            var workers = new LocalShardWorkers<FineTuneStep, FineTuneGradient>(context.Device, computer, Training.Shards);
            return await CoordinateAsync(inputs, workers, context, cancellation).ConfigureAwait(false);
        }
        finally
        {
            await context.Device.RunAsync(computer.Dispose, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <inheritdoc />
    public FineTuneGradientComputer Open(IReadOnlyList<StageOutput> inputs, TorchSharp.torch.Device device, long? memoryLimit)
    {
        using var start = StartOf(inputs);
        return new FineTuneGradientComputer(Target.Architecture, start, Target.Dataset, Training, Seed, device);
    }

    /// <summary>The coordinator's side of data-parallel training, wherever the shards compute. It goes on from the last checkpoint, and leaves one behind where it is cancelled.</summary>
    public async Task<StageOutput> CoordinateAsync(
        IReadOnlyList<StageOutput> inputs,
        IShardWorkers<FineTuneStep, FineTuneGradient> workers,
        StageContext context,
        CancellationToken cancellation)
    {
        var (layout, numbers) = await context.Device.RunAsync(() =>
        {
            using var start = StartOf(inputs);
            var lined = new ParameterLayout(start);
            return (lined, lined.Flatten(start));
        }, cancellation).ConfigureAwait(false);
        var tuner = new ShardedFineTuner(numbers, layout.Parameters, StartCounts, Training);
        if (await context.Checkpoints.LoadAsync(cancellation).ConfigureAwait(false) is { } saved) tuner.Restore(saved);
        var loop = new EpochLoop(Name, context);
        while (!tuner.IsDone)
            await loop.RunAsync(() => tuner.RunEpochAsync(workers, cancellation), () => Task.FromResult(tuner.Save()), Training.Epochs, cancellation).ConfigureAwait(false);
        return await context.Device.RunAsync(() =>
        {
            using var start = StartOf(inputs);
            using var best = layout.Unflatten(tuner.BestValues, start);
            return Output(best, tuner.History);
        }, cancellation).ConfigureAwait(false);
    }

    private async Task<StageOutput> TuneAsync(IReadOnlyList<StageOutput> inputs, StageContext context, CancellationToken cancellation)
    {
        var saved = await context.Checkpoints.LoadAsync(cancellation).ConfigureAwait(false);
        var tuner = await context.Device.RunAsync(() => Begin(inputs, saved, context), cancellation).ConfigureAwait(false);
        try
        {
            var loop = new EpochLoop(Name, context);
            while (!tuner.IsDone)
            {
                await loop.RunAsync(() => RunEpochAsync(tuner, context.Device, cancellation), () => context.Device.RunAsync(tuner.Save, CancellationToken.None), Training.Epochs, cancellation)
                    .ConfigureAwait(false);
            }
            return await context.Device.RunAsync(() => Output(tuner.BestModel, tuner.History), cancellation).ConfigureAwait(false);
        }
        finally
        {
            await context.Device.RunAsync(tuner.Dispose, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>In pieces, for the device may have shards of other trials to serve in between.</summary>
    private static async Task<EpochRecord> RunEpochAsync(FineTuner tuner, DeviceThread device, CancellationToken cancellation)
    {
        while (await device.RunAsync(() => tuner.RunSteps(cancellation), cancellation).ConfigureAwait(false))
        {
            // until none is left
        }
        return await device.RunAsync(() => tuner.EndEpoch(cancellation), cancellation).ConfigureAwait(false);
    }

    private FineTuner Begin(IReadOnlyList<StageOutput> inputs, byte[]? saved, StageContext context)
    {
        using var start = StartOf(inputs);
        var tuner = new FineTuner(Target.Architecture, start, StartCounts, Target.Dataset, Training, Seed, context.Device.Device);
        if (saved is not null) tuner.Restore(saved);
        return tuner;
    }

    private StageOutput Output(StateDict best, IReadOnlyList<EpochRecord> history) => new(new Dictionary<string, byte[]>
    {
        [StageFiles.Model] = Safetensors.Write(best, ModelMetadata.Of(Target.Architecture)),
        [StageFiles.Source] = StageFiles.Write(new SourceInfo(SourceHash.Compute(Target.Architecture, best), [])),
        [StageFiles.History] = StageFiles.Write(history),
    });

    private StateDict StartOf(IReadOnlyList<StageOutput> inputs)
    {
        using var model = Safetensors.Read(inputs[0][StageFiles.Model], "an artefact").Tensors;
        return WithHead(model, inputs);
    }

    private StateDict WithHead(StateDict model, IReadOnlyList<StageOutput> inputs)
    {
        if (KeepsHead) return model.Clone();
        var start = new StateDict();
        foreach (var (name, tensor) in model)
            if (!name.StartsWith(Target.Architecture.Classifier + ".", StringComparison.Ordinal)) start.Add(name, tensor.clone());
        var (classes, features) = (Target.Dataset.Classes, Target.Architecture.Features);
        var head = Head is null ? new Head(new double[classes * features], new double[classes]) : StageFiles.Read<Head>(inputs[1], StageFiles.Head);
        head.AddTo(Target.Architecture, start);
        return start;
    }
}
