using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Experiments.Stages;

/// <summary>
/// The anchor, moved as far as the partner is away, in a random direction: filter by filter the noise has the distance between the
/// partner's kernel and the anchor's, and the bias (and scale) the distance between theirs, with a random sign.
/// </summary>
/// <param name="Anchor">The prepared anchor.</param>
/// <param name="Partner">The prepared partner.</param>
/// <param name="Index">Distinguishes partners that are replaced with the same seed.</param>
internal sealed record JitterStage(Stage Anchor, Stage Partner, Architecture Architecture, ulong Seed, int Index) : Stage
{
    /// <inheritdoc />
    public override string Name => "jitter";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [Anchor, Partner];

    /// <inheritdoc />
    public override bool IsPrepared => true;

    /// <inheritdoc />
    protected override object Settings => new { Seed, Index };

    /// <inheritdoc />
    public override double Cost => 0;

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation) =>
        context.Device.RunAsync(() =>
        {
            using var sources = new PreparedSources(inputs);
            using var jittered = Jitter(Architecture, sources[0], sources[1], Seed, Index);
            var source = StageFiles.Read<SourceInfo>(inputs[0], StageFiles.Source);
            return PreparedSources.Write(jittered, new SourceInfo($"jittered {source.Sha256}", []));
        }, cancellation);

    /// <summary>The jittered anchor's kernels and biases.</summary>
    internal static StateDict Jitter(Architecture architecture, PreparedSource anchor, PreparedSource partner, ulong seed, int index)
    {
        var random = new RandomStream(seed, StreamKeys.Jitter, (ulong)index);
        var jittered = new StateDict();
        foreach (var layer in architecture.Layers)
        {
            using var scope = NewDisposeScope();
            jittered.Add(layer.Name + ".weight", Move(anchor.Kernel(layer), partner.Kernel(layer), random));
            jittered.Add(layer.Name + ".bias", Move(anchor.Bias(layer), partner.Bias(layer), random));
            if (anchor.Scale(layer) is { } scale)
                jittered.Add(PreparedSource.ScaleOf(layer), Move(scale, partner.Scale(layer)!, random));
        }
        return jittered;
    }

    /// <param name="from">[filters, …].</param>
    private static Tensor Move(Tensor from, Tensor to, RandomStream random)
    {
        var filters = from.shape[0];
        var start = from.to(ScalarType.Float64).view(filters, -1);
        var distance = Norm(to.to(ScalarType.Float64).view(filters, -1) - start);
        var noise = new double[start.numel()];
        for (var i = 0; i < noise.Length; i++) noise[i] = random.NextNormal();
        var direction = tensor(noise).view(filters, -1);
        return start.Plus(direction / Norm(direction) * distance).view(from.shape).to(ScalarType.Float32);
    }

    private static Tensor Norm(Tensor rows) => rows.Squared().sum(1, keepdim: true).sqrt();
}
