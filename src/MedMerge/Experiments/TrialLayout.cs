using MedMerge.Data;
using MedMerge.Experiments.Stages;
using MedMerge.Training;

namespace MedMerge.Experiments;

/// <summary>
/// Lays out each method's stages. The budget is the same for all: passes over the training images, every stage counted, so baselines
/// fine-tune for as much longer as they have less to do before.
/// </summary>
internal sealed class TrialLayout(Specification specification, ImageDataset target, IReadOnlyList<Stage> sources)
{
    private readonly TargetTask _task = new(specification.Architecture, target, specification.Threads, Plan.Kind(specification.Device));

    /// <summary>The rows that a kind stands for.</summary>
    public IEnumerable<Method> Methods(MethodKind kind) => MethodNames.IsSingleSource(kind)
        ? specification.Sources.Select(source => new Method(kind, source.Name))
        : [new Method(kind, null)];

    /// <summary>A method's trial with one seed.</summary>
    public Trial Trial(int number, Method method, ulong seed)
    {
        var source = specification.Sources.ToList().FindIndex(s => s.Name == method.Source);
        var anchor = specification.Anchor;
        var (merge, model) = method.Kind switch
        {
            MethodKind.MedMerge => Merged(sources, Names(), Anchored(anchor), seed),
            MethodKind.UntrainedPartner => Merged(Untrained(seed), UntrainedNames(), Anchored(anchor), seed),
            MethodKind.SelfScale => Merged([sources[anchor], new ZeroStage(specification.Architecture)], [Names()[anchor], "zero"], Anchored(0), seed),
            MethodKind.Average => Averaged(seed),
            MethodKind.Scratch => (null, Tuned(new UntrainedStage(specification.Architecture, target.Classes, seed, 0), head: null, specification.Budget, seed)),
            MethodKind.FineTune => (null, Tuned(sources[source], head: null, specification.Budget, seed)),
            MethodKind.LpFt => (null, Tuned(sources[source], Probe([Prepare(sources[source])], StartingWeights.Uniform), specification.Budget - 1, seed)),
            _ => throw new ArgumentOutOfRangeException(nameof(method)),
        };
        return new Trial(number, method, seed, merge, model, new EvaluateStage(model, _task));
    }

    private (MergeStage?, FineTuneStage) Merged(IReadOnlyList<Stage> models, IReadOnlyList<string> names, StartingWeights start, ulong seed)
    {
        var prepared = models.Select(Prepare).ToList();
        var weigh = new WeighStage(prepared, Probe(prepared, start), start, specification.Weights, _task, seed);
        var merge = new MergeStage(prepared, names, weigh, Fixed: null, _task);
        return (merge, TunedMerge(merge, specification.FineTune.Epochs, seed));
    }

    private (MergeStage?, FineTuneStage) Averaged(ulong seed)
    {
        var prepared = sources.Select(Prepare).ToList();
        var merge = new MergeStage(prepared, Names(), Probe(prepared, StartingWeights.Uniform), StartingWeights.Uniform, _task);
        return (merge, TunedMerge(merge, specification.Budget - 2, seed)); // the probe and measuring batch norm are a pass each
    }

    private FineTuneStage TunedMerge(MergeStage merge, int epochs, ulong seed) =>
        new(merge, Head: null, KeepsHead: true, specification.FineTune with { Epochs = epochs }, _task, seed);

    private FineTuneStage Tuned(Stage model, Stage? head, int epochs, ulong seed) =>
        new(model, head, KeepsHead: false, specification.FineTune with { Epochs = epochs }, _task, seed);

    private ProbeStage Probe(IReadOnlyList<Stage> prepared, StartingWeights start) => new(prepared, start, specification.Weights.HeadDecay, _task);

    private Stage Prepare(Stage model) => model is ZeroStage ? model : new PrepareStage(model, specification.Architecture);

    private StartingWeights Anchored(int anchor) => specification.Weights.Start == WeightStart.Uniform
        ? StartingWeights.Uniform
        : new StartingWeights(anchor, specification.Weights.AnchorWeight);

    private List<string> Names() => [.. specification.Sources.Select(source => source.Name)];

    private List<Stage> Untrained(ulong seed) => [.. sources.Select((source, i) =>
        i == specification.Anchor ? source : new UntrainedStage(specification.Architecture, target.Classes, seed, i + 1))];

    private List<string> UntrainedNames() => [.. Names().Select((name, i) => i == specification.Anchor ? name : "untrained")];
}
