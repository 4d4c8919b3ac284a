using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Merging.Alignment;
using MedMerge.Models;
using MedMerge.Tensors;
using TorchSharp;

namespace MedMerge.Experiments.Stages;

/// <summary>Brings the channels of a prepared source into the order of the anchor's; the anchor itself stays as it is.</summary>
/// <param name="Source">The prepared source.</param>
/// <param name="Candidates">The prepared models among which the anchor is.</param>
/// <param name="Anchor">Its position there.</param>
/// <param name="Method">How channels are matched; not <see cref="AlignmentMethod.None"/>.</param>
internal sealed record AlignStage(
    Stage Source,
    IReadOnlyList<Stage> Candidates,
    Anchor Anchor,
    AlignmentMethod Method,
    TargetContext Target) : Stage
{
    /// <inheritdoc />
    public override string Name => "align";

    /// <inheritdoc />
    public override IReadOnlyList<Stage> Inputs => [Source, .. Candidates, .. Anchor.Inputs];

    /// <inheritdoc />
    public override bool IsPrepared => true;

    /// <inheritdoc />
    /// <remarks>Weights are matched without the target, and so once for all targets.</remarks>
    protected override object Settings => Method == AlignmentMethod.Weights
        ? new { Method, Anchor, Target.Threads, Target.Device, Target.Libtorch }
        : new { Method, Anchor, Task = Target };

    /// <inheritdoc />
    public override double Cost => Method == AlignmentMethod.Weights
        ? 0
        : 2.0 * Math.Min(ActivationMatching.MaxImages, Target.Dataset.Train.Count) * Target.Dataset.Height * Target.Dataset.Width;

    /// <summary>The order that a prepared source's channels were brought into; null where they are as they were.</summary>
    /// <param name="output">Of this stage, or any other that gives a prepared source.</param>
    public static ChannelOrder? ReadOrder(StageOutput output, Architecture architecture)
    {
        if (!output.Files.ContainsKey(StageFiles.ChannelOrder)) return null;
        var orders = StageFiles.Read<Dictionary<string, int[]>>(output, StageFiles.ChannelOrder);
        return ChannelOrder.FromNamed(new ChannelGroups(architecture), orders);
    }

    /// <inheritdoc />
    public override Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation)
    {
        var anchor = Anchor.Find(inputs);
        var source = new StageOutput(new Dictionary<string, byte[]>
        {
            [StageFiles.Prepared] = inputs[0][StageFiles.Prepared],
            [StageFiles.Source] = inputs[0][StageFiles.Source],
        });
        return Candidates[anchor].Key == Source.Key
            ? Task.FromResult(source)
            : context.Device.RunAsync(() => Align(source, inputs[1 + anchor], context.Device.Device, cancellation), cancellation);
    }

    private StageOutput Align(StageOutput source, StageOutput anchor, torch.Device device, CancellationToken cancellation)
    {
        using var models = new PreparedSources([anchor, source]);
        var groups = new ChannelGroups(Target.Architecture);
        var order = Method == AlignmentMethod.Weights
            ? WeightMatching.Match(groups, models[0], models[1], device, cancellation)
            : MatchActivations();
        if (order.IsIdentity) return source;
        using var aligned = order.Apply(models[1]);
        return new StageOutput(new Dictionary<string, byte[]>(source.Files)
        {
            [StageFiles.Prepared] = Safetensors.Write(aligned.Layers),
            [StageFiles.ChannelOrder] = StageFiles.Write(order.ToNamed()),
        });

        ChannelOrder MatchActivations()
        {
            using var loader = new BatchLoader(Target.Dataset, device);
            return ActivationMatching.Match(groups, models[0], models[1], Target.Dataset, loader, device, cancellation);
        }
    }
}
