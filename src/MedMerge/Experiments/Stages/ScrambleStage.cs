using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Experiments.Stages;

/// <summary>Shuffles the filters of a prepared source within each layer, each layer by a permutation of its own.</summary>
/// <param name="Prepared">The prepared source.</param>
/// <param name="Index">Distinguishes sources that are shuffled with the same seed.</param>
internal sealed record ScrambleStage(Stage Prepared, Architecture Architecture, ulong Seed, int Index) : Stage
{
    /// <inheritdoc />
    public override string Name => "scramble";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [Prepared];

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
            using var scrambled = Scramble(sources[0]);
            var source = StageFiles.Read<SourceInfo>(inputs[0], StageFiles.Source);
            return PreparedSources.Write(scrambled, new SourceInfo($"scrambled {source.Sha256}", []));
        }, cancellation);

    private StateDict Scramble(PreparedSource source)
    {
        var random = new RandomStream(Seed, StreamKeys.Scramble, (ulong)Index);
        var scrambled = new StateDict();
        foreach (var layer in Architecture.Layers)
        {
            using var scope = NewDisposeScope();
            var order = tensor(Array.ConvertAll(random.Permutation(layer.Out), filter => (long)filter));
            scrambled.Add(layer.Name + ".weight", source.Kernel(layer).index_select(0, order));
            scrambled.Add(layer.Name + ".bias", source.Bias(layer).index_select(0, order));
            if (source.Scale(layer) is { } scale) scrambled.Add(PreparedSource.ScaleOf(layer), scale.index_select(0, order));
        }
        return scrambled;
    }
}
