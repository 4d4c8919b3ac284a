using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>The learned α and head.</summary>
/// <param name="Alpha">[sources × filters], row-major.</param>
internal sealed record KernelWeightSolution(double[] Alpha, Head Head);

/// <summary>Learns the kernel weights.</summary>
/// <param name="Sources">The prepared sources.</param>
/// <param name="Head">The probe that provides the initial head.</param>
internal sealed record KernelWeightStage(
    IReadOnlyList<Stage> Sources,
    Stage Head,
    KernelWeightInit Start,
    KernelWeightSettings Learning,
    TargetContext Target,
    ulong Seed) : Stage, IShardedStage<KernelWeightGradientComputer>
{
    /// <inheritdoc />
    public override string Name => TrainingNames.KernelWeights;

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [.. Sources, .. StartInputs];

    /// <inheritdoc />
    public override bool HasEpochs => true;

    /// <inheritdoc />
    public override bool HasCoordinator => true;

    /// <inheritdoc />
    public int Shards => Learning.Shards;

    /// <inheritdoc />
    public IReadOnlyList<Stage> ShardInputs => Sources;

    /// <summary>The stages whose outputs learning starts from: the probe, and the choice of the anchor where there is one.</summary>
    public IReadOnlyList<Stage> StartInputs => [Head, .. Start.Inputs];

    /// <inheritdoc />
    protected override object Settings => new { Start, Learning, Task = Target, Seed };

    /// <inheritdoc />
    public override double Cost => Learning.Epochs * Target.TrainingEpoch;

    /// <inheritdoc />
    public override long EstimateMemory() => Target.EstimateTraining(Learning.BatchSize / Learning.Shards, Sources.Count);

    /// <inheritdoc />
    /// <remarks>Computes all shards on one device.</remarks>
    public override async Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation)
    {
        var device = context.Device;
        var computer = await device
            .RunAsync(() => Open(inputs, device.Device, memoryLimit: null), cancellation)
            .ConfigureAwait(false);
        try
        {
            var workers = new LocalShardWorkers<KernelWeightStep, KernelWeightGradient>(device, computer, Learning.Shards);
            return await LearnAsync([.. inputs.Skip(Sources.Count)], workers, context, cancellation).ConfigureAwait(false);
        }
        finally
        {
            await device.RunAsync(computer.Dispose, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <inheritdoc />
    public KernelWeightGradientComputer Open(IReadOnlyList<StageOutput> inputs, TorchSharp.torch.Device device, long? memoryLimit)
    {
        using var sources = new PreparedSources(inputs.Take(Sources.Count));
        return new KernelWeightGradientComputer(
            Target.Architecture,
            sources,
            Target.Dataset,
            Learning,
            StreamKeys.Derive(Seed, StreamKeys.KernelWeightLearning),
            device,
            memoryLimit: memoryLimit);
    }

    /// <summary>
    /// Coordinates the learning, wherever the shards compute. It resumes from the last checkpoint, and saves one if it
    /// is cancelled.
    /// </summary>
    /// <param name="start">The outputs of <see cref="StartInputs"/>.</param>
    public async Task<StageOutput> LearnAsync(
        IReadOnlyList<StageOutput> start,
        IShardWorkers<KernelWeightStep, KernelWeightGradient> workers,
        StageContext context,
        CancellationToken cancellation)
    {
        var saved = await context.Checkpoints.LoadAsync(cancellation).ConfigureAwait(false);
        var learner = CreateLearner(start, saved);
        var loop = new EpochLoop(Name, context);
        while (!learner.IsDone)
        {
            await loop.RunAsync(
                () => learner.RunEpochAsync(workers, cancellation),
                () => Task.FromResult(learner.Save()),
                Learning.Epochs,
                cancellation).ConfigureAwait(false);
        }
        var solution = new KernelWeightSolution(learner.Best.Alpha.Values, learner.Best.Head);
        var files = new Dictionary<string, byte[]>
        {
            [StageFiles.LearnedAlpha] = StageFiles.Write(solution),
            [StageFiles.History] = StageFiles.Write(learner.History),
        };
        if (learner.LayerMeans is { } means) files[StageFiles.LayerMeans] = StageFiles.Write(means);
        return new StageOutput(files);
    }

    private KernelWeightLearner CreateLearner(IReadOnlyList<StageOutput> start, byte[]? saved)
    {
        var map = new KernelWeightMap(Target.Architecture, Sources.Count, Learning, Start.LayerSources);
        var theta = Start.Theta(map, start);
        if (saved is not null) return KernelWeightLearner.Restore(saved, map, theta, Learning);
        // A checkpoint does not keep how well the probe converged, and the output must not depend on whether there was one.
        var head = StageFiles.Read<Head>(start[0], StageFiles.Head) with { RemainingGradient = null };
        return new KernelWeightLearner(map, theta, head, Learning);
    }
}
