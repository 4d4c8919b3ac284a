using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>Fits the head to the features of the sources folded at the starting α. It has one solution, so it takes no seed.</summary>
/// <param name="Sources">Prepared; with one source this is that source's linear probe.</param>
/// <param name="Start">Where α starts.</param>
/// <param name="Decay">The head's penalty.</param>
public sealed record ProbeStage(IReadOnlyList<Stage> Sources, KernelWeightInit Start, double Decay, TargetContext Target) : Stage
{
    /// <inheritdoc />
    public override string Name => "probe";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => Sources;

    /// <inheritdoc />
    protected override object Settings => new { Start, Decay, Task = Target };

    /// <inheritdoc />
    public override double Cost => Target.ForwardPass;

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(IReadOnlyList<StageOutput> inputs, StageContext context, CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            using var sources = new PreparedSources(inputs);
            // It folds once, so bringing the kernels to the device layer by layer costs no more than all at once.
            using var computer = new KernelWeightGradientComputer(
                Target.Architecture, sources, Target.Dataset, new KernelWeightSettings { HeadDecay = Decay }, seed: 0, context.Device.Device, memoryLimit: 0);
            var head = computer.Probe(Start.Alpha(Target.Architecture, sources.Count), cancellation);
            return new StageOutput(new Dictionary<string, byte[]> { [StageFiles.Head] = StageFiles.Write(head) });
        }, cancellation);
}
