using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>α and head as learned.</summary>
/// <param name="Alpha">[sources × filters], row-major.</param>
public sealed record KernelWeightSolution(double[] Alpha, Head Head);

/// <summary>Learns the kernel weights.</summary>
/// <param name="Sources">Prepared.</param>
/// <param name="Head">The probe.</param>
public sealed record KernelWeightStage(IReadOnlyList<Stage> Sources, Stage Head, KernelWeightInit Start, KernelWeightSettings Learning, TargetContext Target, ulong Seed)
    : Stage, IShardedStage<KernelWeightGradientComputer>
{
    /// <inheritdoc />
    public override string Name => Telemetry.Instruments.Weigh;

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [.. Sources, Head];

    /// <inheritdoc />
    public override bool HasCoordinator => true;

    /// <inheritdoc />
    public int Shards => Learning.Shards;

    /// <inheritdoc />
    public IReadOnlyList<Stage> ShardInputs => Sources;

    /// <inheritdoc />
    protected override object Settings => new { Start, Learning, Task = Target, Seed };

    /// <inheritdoc />
    public override double Cost => Learning.Epochs * Target.TrainingEpoch;

    /// <inheritdoc />
    /// <remarks>All shards on one device.</remarks>
    public override async Task<StageOutput> ExecuteAsync(IReadOnlyList<StageOutput> inputs, StageContext context, CancellationToken cancellation)
    {
        var computer = await context.Device.RunAsync(() => Open(inputs, context.Device.Device, memoryLimit: null), cancellation).ConfigureAwait(false);
        try
        {
            var workers = new LocalShardWorkers<KernelWeightStep, KernelWeightGradient>(context.Device, computer, Learning.Shards);
            return await LearnAsync(inputs[^1], workers, context, cancellation).ConfigureAwait(false);
        }
        finally
        {
            await context.Device.RunAsync(computer.Dispose, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <inheritdoc />
    public KernelWeightGradientComputer Open(IReadOnlyList<StageOutput> inputs, TorchSharp.torch.Device device, long? memoryLimit)
    {
        using var sources = new PreparedSources(inputs.Take(Sources.Count));
        return new KernelWeightGradientComputer(Target.Architecture, sources, Target.Dataset, Learning, Seed, device, memoryLimit: memoryLimit);
    }

    /// <summary>The coordinator's side, wherever the shards compute. It goes on from the last checkpoint, and leaves one behind where it is cancelled.</summary>
    /// <param name="probe">The probe's output.</param>
    public async Task<StageOutput> LearnAsync(
        StageOutput probe,
        IShardWorkers<KernelWeightStep, KernelWeightGradient> workers,
        StageContext context,
        CancellationToken cancellation)
    {
        var learner = await context.Checkpoints.LoadAsync(cancellation).ConfigureAwait(false) is { } saved
            ? KernelWeightLearner.Restore(saved, Target.Architecture, Sources.Count, Learning)
            : new KernelWeightLearner(Start.Theta(Target.Architecture, Sources.Count), StageFiles.Read<Head>(probe, StageFiles.Head), Learning);
        var loop = new EpochLoop(Name, context);
        while (!learner.IsDone)
            await loop.RunAsync(() => learner.RunEpochAsync(workers, cancellation), () => Task.FromResult(learner.Save()), Learning.Epochs, cancellation).ConfigureAwait(false);
        return new StageOutput(new Dictionary<string, byte[]>
        {
            [StageFiles.Weights] = StageFiles.Write(new KernelWeightSolution(learner.Best.Alpha.Values, learner.Best.Head)),
            [StageFiles.History] = StageFiles.Write(learner.History),
        });
    }
}
