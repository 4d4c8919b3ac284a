using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Statistics;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>Trains a whole model on the target: fine-tuning, training from scratch and pretraining alike.</summary>
/// <param name="Start">The model it starts from.</param>
/// <param name="Head">
/// A probe whose head replaces the model's classifier; null starts with a zero head, unless the model keeps its own.
/// </param>
/// <param name="KeepsHead">Whether to keep the model's own classifier, which was fitted to the target.</param>
internal sealed record FineTuneStage(
    Stage Start,
    Stage? Head,
    bool KeepsHead,
    FineTuneSettings Training,
    TargetContext Target,
    ulong Seed) : Stage, IShardedStage<FineTuneGradientComputer>
{
    /// <summary>Somewhat less than an array may have, for what is not counted.</summary>
    private const long MaxStateBytes = 2_000_000_000;

    /// <inheritdoc />
    public override string Name => TrainingNames.FineTune;

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => Earlier is null ? ShardInputs : [.. ShardInputs, Earlier];

    /// <inheritdoc />
    public override bool HasEpochs => true;

    /// <inheritdoc />
    public override bool HasCoordinator => Training.Shards > 1;

    /// <inheritdoc />
    public int Shards => Training.Shards;

    /// <inheritdoc />
    public IReadOnlyList<Stage> ShardInputs => Head is null ? [Start] : [Start, Head];

    /// <summary>The epoch after which it stops, to go on in another stage or not at all; null for the last.</summary>
    public int? Until { get; init; }

    /// <summary>The stage that it goes on from, which is the same up to an earlier epoch; null where it begins.</summary>
    public FineTuneStage? Earlier { get; init; }

    /// <summary>
    /// Whether a training that diverges ends with the epochs before, instead of failing: for one of several learning rates, of which one
    /// may be too high.
    /// </summary>
    public bool MayDiverge { get; init; }

    private ulong StreamSeed => StreamKeys.Derive(Seed, StreamKeys.FineTuning);

    /// <summary>Whether the start may be the best epoch; random weights never are, nor is a model with a classifier of zeros.</summary>
    public bool StartCounts => Start is not UntrainedStage && (KeepsHead || Head is not null);

    /// <summary>The validation of the best epoch in its output; null where training diverged before its last epoch.</summary>
    /// <param name="metric">What the best epoch is chosen by.</param>
    public Validation? FindBest(StageOutput output, Metric metric)
    {
        var epochs = StageFiles.Read<List<EpochRecord>>(output, StageFiles.History);
        if (epochs.Count <= LastEpoch) return null;
        var history = TrainingHistory.Empty;
        foreach (var epoch in epochs) history = history.With(epoch, StartCounts, metric);
        return history.Epochs[history.BestEpoch].Validation;
    }

    /// <inheritdoc />
    protected override object Settings => Until is null && Earlier is null
        ? (object)new { KeepsHead, Training, Task = Target, Seed, MayDiverge }
        : new { KeepsHead, Training, Task = Target, Seed, MayDiverge, Until };

    /// <inheritdoc />
    public override double Cost => (LastEpoch - (Earlier?.LastEpoch ?? 0)) * Target.TrainingEpoch;

    /// <summary>Whether the state of the training fits an array, which VGG-16's at its full width does not.</summary>
    private bool FitsCheckpoint => Target.EstimateState() <= MaxStateBytes;

    private int LastEpoch => Until ?? Training.Epochs;

    /// <inheritdoc />
    public override long EstimateMemory() => Target.EstimateTraining(Training.BatchSize / Training.Shards);

    /// <inheritdoc />
    /// <remarks>Computes all shards on one device.</remarks>
    public override async Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation)
    {
        if (FindDiverged(inputs) is { } diverged) return diverged;
        if (!HasCoordinator) return await TuneAsync(inputs, context, cancellation).ConfigureAwait(false);
        var device = context.Device;
        var computer = await device
            .RunAsync(() => Open(inputs, device.Device, memoryLimit: null), cancellation)
            .ConfigureAwait(false);
        try
        {
            var workers = new LocalShardWorkers<FineTuneStep, FineTuneGradient>(device, computer, Training.Shards);
            return await CoordinateAsync(inputs, workers, context, cancellation).ConfigureAwait(false);
        }
        finally
        {
            await device.RunAsync(computer.Dispose, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <inheritdoc />
    public FineTuneGradientComputer Open(IReadOnlyList<StageOutput> inputs, TorchSharp.torch.Device device, long? memoryLimit)
    {
        using var start = ReadStart(inputs);
        return new FineTuneGradientComputer(Target.Architecture, start, Target.Dataset, Training, StreamSeed, device);
    }

    /// <summary>
    /// Coordinates data-parallel training, wherever the shards compute. It resumes from the last checkpoint, and saves
    /// one if it is cancelled.
    /// </summary>
    public async Task<StageOutput> CoordinateAsync(
        IReadOnlyList<StageOutput> inputs,
        IShardWorkers<FineTuneStep, FineTuneGradient> workers,
        StageContext context,
        CancellationToken cancellation)
    {
        if (FindDiverged(inputs) is { } diverged) return diverged;
        var (layout, values) = await context.Device.RunAsync(FlattenStart, cancellation).ConfigureAwait(false);
        var tuner = new ShardedFineTuner(values, layout.Parameters, StartCounts, Training);
        if (await LoadAsync(inputs, context, cancellation).ConfigureAwait(false) is { } saved) tuner.Restore(saved);
        var loop = new EpochLoop(Name, context) { KeepsCheckpoints = FitsCheckpoint };
        await TrainAsync(
            () => tuner.History,
            () => loop.RunAsync(
                () => tuner.RunEpochAsync(workers, cancellation),
                () => Task.FromResult(tuner.Save()),
                Training.Epochs,
                cancellation)).ConfigureAwait(false);
        return await context.Device.RunAsync(() =>
        {
            using var start = ReadStart(inputs);
            using var best = layout.Unflatten(tuner.BestValues, start);
            return CreateOutput(best, tuner.History, tuner.Save);
        }, cancellation).ConfigureAwait(false);

        (ParameterLayout Layout, float[] Values) FlattenStart()
        {
            using var start = ReadStart(inputs);
            var parameters = new ParameterLayout(start);
            return (parameters, parameters.Flatten(start));
        }
    }

    private async Task<StageOutput> TuneAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation)
    {
        var device = context.Device;
        var saved = await LoadAsync(inputs, context, cancellation).ConfigureAwait(false);
        var tuner = await device.RunAsync(() => CreateTuner(inputs, saved, device), cancellation).ConfigureAwait(false);
        try
        {
            var loop = new EpochLoop(Name, context) { KeepsCheckpoints = FitsCheckpoint };
            await TrainAsync(
                () => tuner.History,
                () => loop.RunAsync(
                    () => RunEpochAsync(tuner, device, cancellation),
                    () => device.RunAsync(tuner.Save, CancellationToken.None),
                    Training.Epochs,
                    cancellation)).ConfigureAwait(false);
            var output = device.RunAsync(() => CreateOutput(tuner.BestModel, tuner.History, tuner.Save), cancellation);
            return await output.ConfigureAwait(false);
        }
        finally
        {
            await device.RunAsync(tuner.Dispose, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task TrainAsync(Func<IReadOnlyList<EpochRecord>> history, Func<Task> runEpoch)
    {
        try
        {
            while (history().Count <= LastEpoch) await runEpoch().ConfigureAwait(false);
        }
        catch (ComputationException) when (MayDiverge && history().Count > 0)
        {
            // The epochs before stand; who reads the history sees that it ends early. A start that can't be measured fails.
        }
    }

    /// <summary>Runs an epoch in pieces, so that the device can compute shards of other trials in between.</summary>
    private static async Task<EpochRecord> RunEpochAsync(FineTuner tuner, DeviceThread device, CancellationToken cancellation)
    {
        while (await device.RunAsync(() => tuner.RunSteps(cancellation), cancellation).ConfigureAwait(false))
        {
            // more steps are left
        }
        return await device.RunAsync(() => tuner.EndEpoch(cancellation), cancellation).ConfigureAwait(false);
    }

    private FineTuner CreateTuner(IReadOnlyList<StageOutput> inputs, byte[]? saved, DeviceThread device)
    {
        using var start = ReadStart(inputs);
        var tuner = new FineTuner(Target.Architecture, start, StartCounts, Target.Dataset, Training, StreamSeed, device.Device);
        if (saved is not null) tuner.Restore(saved);
        return tuner;
    }

    /// <summary>What it has saved itself, or else what the stage before it has.</summary>
    private async Task<byte[]?> LoadAsync(IReadOnlyList<StageOutput> inputs, StageContext context, CancellationToken cancellation)
    {
        var saved = await context.Checkpoints.LoadAsync(cancellation).ConfigureAwait(false);
        return saved ?? (Earlier is null ? null : inputs[^1][StageFiles.TrainingState]);
    }

    /// <summary>The output of the stage before it, where that has diverged: there is nothing to go on from.</summary>
    private StageOutput? FindDiverged(IReadOnlyList<StageOutput> inputs) =>
        Earlier is null || inputs[^1].Files.ContainsKey(StageFiles.TrainingState) ? null : inputs[^1];

    private StageOutput CreateOutput(StateDict best, IReadOnlyList<EpochRecord> history, Func<byte[]> getState)
    {
        var source = new SourceInfo(SourceHash.Compute(Target.Architecture, best), []) { Signature = Target.Signature };
        var files = new Dictionary<string, byte[]>
        {
            [StageFiles.Model] = Safetensors.Write(best, ModelMetadata.Of(Target.Architecture, Target.Signature)),
            [StageFiles.Source] = StageFiles.Write(source),
            [StageFiles.History] = StageFiles.Write(history),
        };
        var goesOn = Until is not null && history.Count > LastEpoch;
        if (goesOn && !FitsCheckpoint)
        {
            throw new InputException(
                $"The state of training a {Target.Network} has about 2 GiB or more: too much to pass it on to the next rung " +
                "of a search by halving. Search at random, or choose a smaller width.");
        }
        if (goesOn) files[StageFiles.TrainingState] = getState();
        return new StageOutput(files);
    }

    private StateDict ReadStart(IReadOnlyList<StageOutput> inputs)
    {
        using var model = StageFiles.ReadTensors(inputs[0], StageFiles.Model);
        return ReplaceHead(model, inputs);
    }

    private StateDict ReplaceHead(StateDict model, IReadOnlyList<StageOutput> inputs)
    {
        if (KeepsHead) return model.Clone();
        var head = Head is null ? CreateZeroHead() : StageFiles.Read<Head>(inputs[1], StageFiles.Head);
        return head.ReplaceIn(Target.Architecture, model);
    }

    private Head CreateZeroHead()
    {
        var classes = Target.Dataset.Classes;
        return new Head(new double[classes * Target.Architecture.Features], new double[classes]);
    }
}
