using System.Globalization;
using MedMerge.Training;

namespace MedMerge.Experiments.Stages;

/// <summary>
/// Fits the head to the features of the sources folded by the initial α. The solution is unique, so there is no seed.
/// </summary>
/// <param name="Sources">The prepared sources; with one source this is its linear probe.</param>
/// <param name="Start">The initial α.</param>
/// <param name="Decay">The L2 penalty on the head.</param>
internal sealed record ProbeStage(IReadOnlyList<Stage> Sources, KernelWeightInit Start, double Decay, TargetContext Target) : Stage
{
    /// <summary>What is done about classes of unequal size.</summary>
    public Imbalance Imbalance { get; init; }

    /// <summary>The name of all probes.</summary>
    public const string StageName = "probe";

    /// <inheritdoc />
    public override string Name => StageName;

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [.. Sources, .. Start.Inputs];

    /// <inheritdoc />
    protected override object Settings => Imbalance == default
        ? new { Start, Decay, Task = Target }
        : new { Start, Decay, Task = Target, Imbalance };

    /// <inheritdoc />
    public override double Cost => Target.ForwardPass;

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            using var sources = new PreparedSources(inputs.Take(Sources.Count));
            // Kernels are folded once, so copying them to the device layer by layer costs no more than copying all at once.
            using var computer = new KernelWeightGradientComputer(
                Target.Architecture,
                sources,
                Target.Dataset,
                new KernelWeightSettings { HeadDecay = Decay, Imbalance = Imbalance },
                seed: 0,
                context.Device.Device,
                memoryLimit: 0);
            var head = computer.Probe(Start.Alpha(Target.Architecture, sources.Count, inputs), cancellation);
            WarnIfUnconverged(head, context);
            return new StageOutput(new Dictionary<string, byte[]> { [StageFiles.Head] = StageFiles.Write(head) });
        }, cancellation);

    /// <summary>Warns where a head is not at its optimum.</summary>
    public static void WarnIfUnconverged(Head head, StageContext context)
    {
        if (head.RemainingGradient is not { } gradient) return;
        context.OnWarning(string.Create(
            CultureInfo.InvariantCulture,
            $"The linear probe ended before its optimum: the largest entry of its gradient is {gradient:0.0e0}, and " +
            $"{LinearProbe.GradientTolerance:0e0} was wanted. The head is usable; with a larger headDecay the probe converges faster."));
    }
}
