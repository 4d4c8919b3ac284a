using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Merging.Alignment;
using MedMerge.Training;

namespace MedMerge.Experiments.Methods;

/// <summary>Creates the stages that methods compose trials from, on one scenario.</summary>
internal sealed class ScenarioStages(Scenario scenario)
{
    /// <summary>The probe and the batch norm statistics take one pass each.</summary>
    private const int PassesOfMerge = 2;

    private readonly Dictionary<string, ProbedSources> _probed = [];
    private readonly int[]? _layerSources =
        GivenLayers.Resolve(scenario.Settings.LayersFrom, scenario.Architecture, [.. scenario.Sources.Select(source => source.Name)]);

    private Anchor? _anchor;

    /// <summary>The scenario.</summary>
    public Scenario Scenario => scenario;

    /// <summary>Data set, architecture, threads and device of the stages.</summary>
    public TargetContext Target { get; } =
        new(scenario.Architecture, scenario.Target, scenario.Settings.Threads, scenario.Settings.DeviceKind);

    /// <summary>The stages that provide the source models.</summary>
    public IReadOnlyList<Stage> Sources { get; } = [.. scenario.Sources.Select(source => source.Stage)];

    /// <summary>The names of the sources.</summary>
    public IReadOnlyList<string> SourceNames { get; } = [.. scenario.Sources.Select(source => source.Name)];

    /// <summary>The source that α starts from.</summary>
    public Anchor Anchor => _anchor ??= scenario.Anchor is { } anchor ? Anchor.At(anchor) : Anchor.ChosenBy(ChooseAnchor());

    /// <summary>How the settings want several sources aligned to the anchor.</summary>
    public AlignmentMethod Alignment => scenario.Settings.Alignment;

    /// <summary>
    /// Gets the part of a row that no seed changes, created once for all its trials because a stage's key costs a hash.
    /// </summary>
    /// <param name="row">The row's title.</param>
    public ProbedSources ProbeOnce(string row, Func<ProbedSources> probe)
    {
        if (!_probed.TryGetValue(row, out var probed))
        {
            probed = probe();
            _probed[row] = probed;
        }
        return probed;
    }

    /// <summary>Prepares models for merging and fits a head to them at the starting α.</summary>
    /// <param name="alignment">How all but the anchor, which must be among them, are aligned to it.</param>
    public ProbedSources Probe(
        IReadOnlyList<Stage> models,
        KernelWeightInit init,
        AlignmentMethod alignment = AlignmentMethod.None)
    {
        var prepared = Align(models.Select(Prepare).ToList(), alignment);
        var settings = scenario.Settings.KernelWeights;
        var head = new ProbeStage(prepared, init, settings.HeadDecay, Target) { Imbalance = settings.Imbalance };
        return new ProbedSources(prepared, init, head);
    }

    /// <summary>The initial α: anchored or uniform, according to the settings.</summary>
    /// <param name="anchor">The anchor among the merged models.</param>
    public KernelWeightInit InitAtAnchor(Anchor anchor) => scenario.Settings.KernelWeights.Start == KernelWeightStart.Uniform
        ? KernelWeightInit.Uniform
        : new KernelWeightInit(anchor, scenario.Settings.KernelWeights.AnchorWeight);

    /// <summary>The initial α of a merge of the sources, or of what stands in their places: with the layers that one gives alone.</summary>
    public KernelWeightInit InitSources() => InitAtAnchor(Anchor) with { LayerSources = _layerSources };

    /// <summary>The anchor's model, and its name: that of the rule where stages choose it.</summary>
    public (Stage Model, string Name) GetAnchorModel()
    {
        if (scenario.Anchor is { } anchor) return (Sources[anchor], SourceNames[anchor]);
        var byAnchor = Enumerable.Range(0, Sources.Count);
        return (new SelectStage([.. Sources.Select(Prepare)], SourceNames, [.. byAnchor], Anchor), Specification.BestProbe);
    }

    /// <summary>Creates a source where it is chosen as the anchor, and what replaces it where it is not.</summary>
    /// <param name="source">The source's index.</param>
    /// <param name="name">The replacement's.</param>
    public SelectStage ReplaceUnlessAnchor(int source, Stage replacement, string name)
    {
        var byAnchor = Enumerable.Range(0, Sources.Count).Select(anchor => anchor == source ? 0 : 1);
        return new SelectStage([Prepare(Sources[source]), Prepare(replacement)], [SourceNames[source], name], [.. byAnchor], Anchor);
    }

    /// <summary>Creates a model with random weights.</summary>
    /// <inheritdoc cref="UntrainedStage" path="/param" />
    public UntrainedStage DrawUntrained(ulong seed, int index) => new(scenario.Architecture, scenario.Target.Classes, seed, index)
    {
        Computation = scenario.Computation,
    };

    /// <summary>A prepared partner that is all zeros.</summary>
    public ZeroStage CreateZero() => new(scenario.Architecture)
    {
        BatchNorm = scenario.Settings.BatchNorm,
        Computation = scenario.Computation,
    };

    /// <summary>Learns kernel weights, merges the models with them, and fine-tunes.</summary>
    /// <param name="names">Names of the models for the file of kernel weights.</param>
    /// <param name="anchor">The model whose kernel norms the merged model gets.</param>
    public TrialStages LearnMergeAndFineTune(ProbedSources probed, IReadOnlyList<string> names, Anchor anchor, ulong seed)
    {
        var learn = new KernelWeightStage(probed.Sources, probed.Head, probed.Init, scenario.Settings.KernelWeights, Target, seed);
        var merge = new MergeStage(probed.Sources, names, learn, Fixed: null, anchor, Target) { Rescaling = GetRescaling(probed) };
        var stages = FineTuneMerge(merge, scenario.Settings.FineTune.Epochs, seed);
        var history = new TrialOutput(OutputRole.KernelWeightHistory, learn, StageFiles.History);
        return stages with { Outputs = [.. stages.Outputs, history] };
    }

    /// <summary>Merges the models by the α they were probed at, and fine-tunes.</summary>
    /// <inheritdoc cref="LearnMergeAndFineTune" path="/param" />
    public TrialStages MergeAndFineTune(ProbedSources probed, IReadOnlyList<string> names, Anchor anchor, ulong seed)
    {
        var merge = new MergeStage(probed.Sources, names, probed.Head, probed.Init, anchor, Target) { Rescaling = GetRescaling(probed) };
        return FineTuneMerge(merge, scenario.Budget - PassesOfMerge, seed);
    }

    /// <summary>Fine-tunes every source; the stages are those of the trials that do it alone.</summary>
    public IReadOnlyList<Stage> FineTuneSources(ulong seed) =>
        [.. Sources.Select(source => FineTune(source, head: null, scenario.Budget, seed).GetOutput(OutputRole.Model).Stage)];

    /// <summary>Re-estimates a model's batch norm statistics on the target.</summary>
    public Stage RestoreStatistics(Stage model) => new StatisticsStage(model, scenario.Settings.FineTune.ShardBatchSize, Target);

    /// <summary>A source as merging has it: prepared, and aligned where the settings want it.</summary>
    /// <param name="source">Its index.</param>
    public Stage PrepareAligned(int source) => Align([.. Sources.Select(Prepare)], Alignment)[source];

    /// <summary>A model that is merged with none has its own scale already.</summary>
    private MergeRescaling? GetRescaling(ProbedSources probed)
    {
        var settings = scenario.Settings;
        return settings.Rescaling == Rescaling.Repair && probed.Sources.Count > 1
            ? new MergeRescaling(settings.FineTune.ShardBatchSize, settings.KernelWeights.HeadDecay)
            {
                Imbalance = settings.KernelWeights.Imbalance,
            }
            : null;
    }

    private List<Stage> Align(List<Stage> prepared, AlignmentMethod method)
    {
        if (method == AlignmentMethod.None) return prepared;
        return scenario.Anchor is { } anchor
            ? [.. prepared.Select((source, i) => i == anchor ? source : AlignTo([prepared[anchor]], Anchor.At(0), source))]
            : [.. prepared.Select(source => AlignTo(prepared, Anchor, source))];

        AlignStage AlignTo(List<Stage> candidates, Anchor chosen, Stage source) => new(source, candidates, chosen, method, Target);
    }

    private ChooseAnchorStage ChooseAnchor()
    {
        return new ChooseAnchorStage([.. Sources.Select(ScoreProbe)], scenario.Settings.Metric);

        ScoreProbeStage ScoreProbe(Stage source, int index)
        {
            var probed = Probe([source], KernelWeightInit.Uniform);
            var alone = new MergeStage(probed.Sources, [SourceNames[index]], probed.Head, probed.Init, Anchor.At(0), Target);
            return new ScoreProbeStage(alone, Target);
        }
    }

    /// <summary>Fine-tunes a merged model and keeps its head, which was fitted to the target.</summary>
    private TrialStages FineTuneMerge(MergeStage merge, int epochs, ulong seed)
    {
        var stages = FineTune(merge, head: null, keepsHead: true, epochs, seed);
        return stages with
        {
            Outputs =
            [
                new TrialOutput(OutputRole.KernelWeights, merge, StageFiles.KernelWeights),
                new TrialOutput(OutputRole.MergedModel, merge, StageFiles.Model),
                new TrialOutput(OutputRole.Certificate, merge, StageFiles.Certificate),
                .. stages.Outputs,
            ],
        };
    }

    /// <summary>Fine-tunes a model.</summary>
    /// <param name="head">A probe whose head it starts with; null starts with a zero head.</param>
    public TrialStages FineTune(Stage model, Stage? head, int epochs, ulong seed) =>
        FineTune(model, head, keepsHead: false, epochs, seed);

    private TrialStages FineTune(Stage model, Stage? head, bool keepsHead, int epochs, ulong seed)
    {
        var tries = scenario.Settings.LearningRates.Select(TryRate).ToList();
        var rungs = new List<RungStage>();
        foreach (var rung in scenario.Halving?.GetRungs(epochs) ?? [])
        {
            var stopped = tries.Select(tried => tried with { Until = rung }).ToList();
            rungs.Add(new RungStage(stopped, scenario.Settings.Metric));
            tries = [.. stopped.Select(tried => tried with { Until = null, Earlier = tried })];
        }
        var chosen = new ChooseRateStage(tries, scenario.Settings.Metric);
        return new TrialStages(
            new EvaluateStage(chosen, Target),
            [
                new TrialOutput(OutputRole.Model, chosen, StageFiles.Model),
                new TrialOutput(OutputRole.FineTuneHistory, chosen, StageFiles.History),
                new TrialOutput(OutputRole.LearningRate, chosen, StageFiles.LearningRate),
            ])
        {
            Rungs = rungs,
        };

        FineTuneStage TryRate(double rate)
        {
            var training = scenario.Settings.FineTune with { Epochs = epochs, LearningRate = rate };
            return new FineTuneStage(model, head, keepsHead, training, Target, seed) { MayDiverge = true };
        }
    }

    /// <summary>Prepares a model for merging, unless it comes prepared.</summary>
    public Stage Prepare(Stage model) => model.IsPrepared
        ? model
        : new PrepareStage(model, scenario.Architecture) { BatchNorm = scenario.Settings.BatchNorm };

    /// <summary>Folds a model's batch norm, whatever becomes of it in a merge.</summary>
    public Stage Fold(Stage model) => new PrepareStage(model, scenario.Architecture);
}

/// <summary>Models prepared for merging, with the head that was probed on them.</summary>
/// <param name="Sources">The prepared models.</param>
/// <param name="Init">The initial α.</param>
internal sealed record ProbedSources(IReadOnlyList<Stage> Sources, KernelWeightInit Init, ProbeStage Head);
