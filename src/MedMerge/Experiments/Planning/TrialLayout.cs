using MedMerge.Data;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Training;

namespace MedMerge.Experiments.Planning;

/// <summary>
/// Lays out each method's stages. The budget is the same for all: passes over the training images, every stage counted, so baselines
/// fine-tune for as much longer as they have less to do before.
/// </summary>
internal sealed class TrialLayout(Specification specification, ImageDataset target, IReadOnlyList<Stage> sources)
{
    private readonly TargetContext _task = new(specification.Architecture, target, specification.Threads, Plan.Kind(specification.Device));
    private readonly List<string> _names = [.. specification.Sources.Select(source => source.Name)];
    private readonly Dictionary<Method, Probed> _seedless = [];

    /// <summary>The rows that a kind stands for.</summary>
    public IEnumerable<Method> Methods(MethodKind kind) => MethodNames.IsSingleSource(kind)
        ? specification.Sources.Select(source => new Method(kind, source.Name))
        : [new Method(kind, null)];

    /// <summary>A method's trial with one seed.</summary>
    public Trial Trial(int number, Method method, ulong seed)
    {
        var source = method.Source is null ? -1 : _names.IndexOf(method.Source);
        var anchor = specification.Anchor;
        var (merge, model) = method.Kind switch
        {
            MethodKind.MedMerge => Merged(Seedless(method, sources, Anchored(anchor)), _names, seed),
            MethodKind.UntrainedPartner => Merged(Probe(Untrained(seed), Anchored(anchor)), UntrainedNames(), seed),
            MethodKind.SelfScale => Merged(Seedless(method, [sources[anchor], new ZeroStage(specification.Architecture)], Anchored(0)), [_names[anchor], "zero"], seed),
            MethodKind.Average => Averaged(Seedless(method, sources, KernelWeightInit.Uniform), seed),
            MethodKind.Scratch => (null, Tuned(new UntrainedStage(specification.Architecture, target.Classes, seed, 0), head: null, specification.Budget, seed)),
            MethodKind.FineTune => (null, Tuned(sources[source], head: null, specification.Budget, seed)),
            MethodKind.LpFt => (null, Tuned(sources[source], Seedless(method, [sources[source]], KernelWeightInit.Uniform).Head, specification.Budget - 1, seed)),
            _ => throw new ArgumentOutOfRangeException(nameof(method)),
        };
        return new Trial(number, method, seed, merge, model, new EvaluateStage(model, _task));
    }

    private (MergeStage?, FineTuneStage) Merged(Probed probed, IReadOnlyList<string> names, ulong seed)
    {
        var weigh = new KernelWeightStage(probed.Sources, probed.Head, probed.Start, specification.Weights, _task, seed);
        var merge = new MergeStage(probed.Sources, names, weigh, Fixed: null, _task);
        return (merge, TunedMerge(merge, specification.FineTune.Epochs, seed));
    }

    private (MergeStage?, FineTuneStage) Averaged(Probed probed, ulong seed)
    {
        var merge = new MergeStage(probed.Sources, _names, probed.Head, probed.Start, _task);
        return (merge, TunedMerge(merge, specification.Budget - 2, seed)); // the probe and measuring batch norm are a pass each
    }

    private FineTuneStage TunedMerge(MergeStage merge, int epochs, ulong seed) =>
        new(merge, Head: null, KeepsHead: true, specification.FineTune with { Epochs = epochs }, _task, seed);

    private FineTuneStage Tuned(Stage model, Stage? head, int epochs, ulong seed) =>
        new(model, head, KeepsHead: false, specification.FineTune with { Epochs = epochs }, _task, seed);

    /// <summary>What a method does before it takes a seed; made once for all its trials, for a stage's key costs a hash.</summary>
    private Probed Seedless(Method method, IReadOnlyList<Stage> models, KernelWeightInit start)
    {
        if (!_seedless.TryGetValue(method, out var probed)) _seedless[method] = probed = Probe(models, start);
        return probed;
    }

    private Probed Probe(IReadOnlyList<Stage> models, KernelWeightInit start)
    {
        var prepared = models.Select(Prepare).ToList();
        return new Probed(prepared, start, new ProbeStage(prepared, start, specification.Weights.HeadDecay, _task));
    }

    private Stage Prepare(Stage model) => model is ZeroStage ? model : new PrepareStage(model, specification.Architecture);

    private KernelWeightInit Anchored(int anchor) => specification.Weights.Start == KernelWeightStart.Uniform
        ? KernelWeightInit.Uniform
        : new KernelWeightInit(anchor, specification.Weights.AnchorWeight);

    private List<Stage> Untrained(ulong seed) => [.. sources.Select((source, i) =>
        i == specification.Anchor ? source : new UntrainedStage(specification.Architecture, target.Classes, seed, i + 1))];

    private List<string> UntrainedNames() => [.. _names.Select((name, i) => i == specification.Anchor ? name : "untrained")];

    /// <summary>Models prepared for merging, with the head probed on them.</summary>
    private sealed record Probed(IReadOnlyList<Stage> Sources, KernelWeightInit Start, ProbeStage Head);
}
