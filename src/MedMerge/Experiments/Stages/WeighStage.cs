using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>α and head as learned.</summary>
public sealed record WeighedSources(double[] Alpha, Head Head);

/// <summary>Learns the kernel weights.</summary>
/// <param name="Sources">Prepared.</param>
/// <param name="Head">The probe.</param>
public sealed record WeighStage(IReadOnlyList<Stage> Sources, Stage Head, StartingWeights Start, WeightLearningSettings Learning, TargetTask Task, ulong Seed) : Stage
{
    /// <inheritdoc />
    public override string Name => "weigh";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [.. Sources, Head];

    /// <inheritdoc />
    protected override object Settings => new { Start, Learning, Task, Seed };

    /// <inheritdoc />
    public override double Cost => Learning.Epochs * Task.TrainingEpoch;

    /// <inheritdoc />
    /// <remarks>All shards on one device.</remarks>
    public override async Task<StageOutput> ExecuteAsync(IReadOnlyList<StageOutput> inputs, StageContext context, CancellationToken cancellation)
    {
        var computer = await context.Device.RunAsync(() => Open(inputs, context.Device.Device), cancellation).ConfigureAwait(false);
        try
        {
            var workers = new LocalWeightWorkers(context.Device, computer, Task.Dataset, Learning.Shards);
            return await LearnAsync(inputs[^1], workers, context.Checkpoints, context.Epochs, cancellation).ConfigureAwait(false);
        }
        finally
        {
            await context.Device.RunAsync(computer.Dispose, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>The device's side, for all shards. Device thread only.</summary>
    /// <param name="prepared">The prepared sources' outputs, and possibly the probe's, which is not read.</param>
    /// <param name="memoryLimit">Sources whose kernels take more bytes of the device's memory than this come there layer by layer; null for no limit.</param>
    public GradientComputer Open(IEnumerable<StageOutput> prepared, TorchSharp.torch.Device device, long? memoryLimit = null)
    {
        using var sources = new PreparedSources(prepared.Take(Sources.Count));
        return new GradientComputer(Task.Architecture, sources, Task.Dataset, Learning, Seed, device, memoryLimit: memoryLimit);
    }

    /// <summary>The coordinator's side, wherever the shards compute. It goes on from the last checkpoint.</summary>
    /// <param name="probe">The probe's output.</param>
    public async Task<StageOutput> LearnAsync(StageOutput probe, IWeightWorkers workers, ICheckpoints checkpoints, Action<EpochRecord, int> epochs, CancellationToken cancellation)
    {
        var learner = await checkpoints.LoadAsync(cancellation).ConfigureAwait(false) is { } saved
            ? WeightLearner.Restore(saved, Sources.Count, Learning)
            : new WeightLearner(Start.Theta(Sources.Count, Task.Architecture.Filters), Sources.Count, StageFiles.Read<Head>(probe, StageFiles.Head), Learning);
        while (!learner.IsDone)
        {
            var epoch = await learner.RunEpochAsync(workers, cancellation).ConfigureAwait(false);
            await checkpoints.SaveAsync(learner.Save(), cancellation).ConfigureAwait(false);
            epochs(epoch, Learning.Epochs);
        }
        return new StageOutput(new Dictionary<string, byte[]>
        {
            [StageFiles.Weights] = StageFiles.Write(new WeighedSources(learner.Best.Alpha, learner.Best.Head)),
            [StageFiles.History] = StageFiles.Write(learner.History),
        });
    }
}
