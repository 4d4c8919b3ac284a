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
    public override async Task<StageOutput> ExecuteAsync(IReadOnlyList<StageOutput> inputs, StageContext context, CancellationToken cancellation)
    {
        var head = StageFiles.Read<Head>(inputs[^1], StageFiles.Head);
        var computer = await context.Device.RunAsync(() =>
        {
            using var sources = new PreparedSources(inputs.SkipLast(1));
            return new GradientComputer(Task.Architecture, sources, Task.Dataset, Learning, Seed, context.Device.Device);
        }, cancellation).ConfigureAwait(false);
        try
        {
            var workers = new LocalWeightWorkers(context.Device, computer, Task.Dataset, Learning.Shards);
            var learner = await context.Checkpoints.LoadAsync(cancellation).ConfigureAwait(false) is { } saved
                ? WeightLearner.Restore(saved, Sources.Count, Learning)
                : new WeightLearner(Start.Theta(Sources.Count, Task.Architecture.Filters), Sources.Count, head, Learning);
            while (!learner.IsDone)
            {
                context.Epochs(await learner.RunEpochAsync(workers, cancellation).ConfigureAwait(false), Learning.Epochs);
                await context.Checkpoints.SaveAsync(learner.Save(), cancellation).ConfigureAwait(false);
            }
            return new StageOutput(new Dictionary<string, byte[]>
            {
                [StageFiles.Weights] = StageFiles.Write(new WeighedSources(learner.Best.Alpha, learner.Best.Head)),
                [StageFiles.History] = StageFiles.Write(learner.History),
            });
        }
        finally
        {
            await context.Device.RunAsync(computer.Dispose, CancellationToken.None).ConfigureAwait(false);
        }
    }
}
