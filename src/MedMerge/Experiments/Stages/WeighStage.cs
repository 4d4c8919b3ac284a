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
            var result = await WeightLearning.RunAsync(workers, Start.Theta(Sources.Count, Task.Architecture.Filters), Sources.Count, head, Learning,
                record => context.Epochs(record, Learning.Epochs), cancellation).ConfigureAwait(false);
            return new StageOutput(new Dictionary<string, byte[]>
            {
                [StageFiles.Weights] = StageFiles.Write(new WeighedSources(result.Alpha, result.Head)),
                [StageFiles.History] = StageFiles.Write(result.History),
            });
        }
        finally
        {
            await context.Device.RunAsync(() =>
            {
                computer.Dispose();
                return true;
            }, CancellationToken.None).ConfigureAwait(false);
        }
    }
}
