using MedMerge.Merging;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>Kernel weights that are given instead of learned, with the head that fits the sources folded by them.</summary>
/// <param name="Sources">The prepared sources.</param>
/// <param name="Decay">The L2 penalty on the head.</param>
internal sealed record GivenKernelWeightStage(
    IReadOnlyList<Stage> Sources,
    KernelWeightMatrix Alpha,
    double Decay,
    TargetContext Target) : Stage
{
    /// <inheritdoc />
    public override string Name => "given kernel weights";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => Sources;

    /// <inheritdoc />
    public override double Cost => Target.ForwardPass;

    /// <inheritdoc />
    protected override object Settings => new { Alpha = Alpha.Values, Decay, Task = Target };

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs, StageContext context, CancellationToken cancellation) => context.Device.RunAsync(() =>
    {
        using var sources = new PreparedSources(inputs);
        using var computer = new KernelWeightGradientComputer(
            Target.Architecture,
            sources,
            Target.Dataset,
            new KernelWeightSettings { HeadDecay = Decay },
            seed: 0,
            context.Device.Device,
            memoryLimit: 0);
        var head = computer.Probe(Alpha, cancellation);
        ProbeStage.WarnIfUnconverged(head, context);
        var solution = new KernelWeightSolution(Alpha.Values, head);
        return new StageOutput(new Dictionary<string, byte[]> { [StageFiles.LearnedAlpha] = StageFiles.Write(solution) });
    }, cancellation);
}
