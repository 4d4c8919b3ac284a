using MedMerge.Data;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Planning;

/// <summary>What a specification unfolds to: its trials, with the stages they share.</summary>
/// <param name="Target">The loaded target.</param>
/// <param name="Notes">What was decided while reading the sources, for the user to know.</param>
public sealed record Plan(Specification Specification, ImageDataset Target, IReadOnlyList<Trial> Trials, IReadOnlyList<string> Notes)
{
    private const int MaxTrials = 10_000;

    /// <summary>Every stage of every trial, each once, in the order they run.</summary>
    public IReadOnlyList<Stage> Stages { get; } = [.. Trials.SelectMany(trial => trial.Stages).DistinctBy(stage => stage.Key)];

    /// <summary>Each source with where it comes from, as shown to people: <c>cells (pretrained on phantom:cells (synthetic))</c>.</summary>
    public IReadOnlyList<string> SourceTitles { get; } =
    [
        .. Specification.Sources.Select(source => source.Pretrain is { } pretrain
            ? $"{source.Name} (pretrained on {(pretrain.Data.IsPhantom ? $"{pretrain.Data.Location} (synthetic)" : Path.GetFileNameWithoutExtension(pretrain.Data.Location))})"
            : $"{source.Name} ({Path.GetFileName(source.Weights)})"),
    ];

    /// <summary>
    /// Loads the data sets, checks every source against the architecture, and lays out the trials. Nothing is computed yet.
    /// </summary>
    /// <param name="read">Gives the files that the specification names; from disk where null.</param>
    /// <exception cref="InputException">Data or weights are missing or unusable; the message lists everything found.</exception>
    public static Plan Build(Specification specification, FileReader? read = null) => Build(specification, read ?? InputFile.Read, areSourcesChecked: false);

    /// <summary>
    /// The same plan of a frozen specification, which was checked when it was submitted: weight files are known by their hashes and not read, for each is imported and
    /// checked once, by its stage.
    /// </summary>
    /// <param name="read">Gives the data sets' files.</param>
    /// <exception cref="InputException">A data set is unusable.</exception>
    public static Plan BuildFrozen(Specification specification, FileReader read) => Build(specification, read, areSourcesChecked: true);

    private static Plan Build(Specification specification, FileReader read, bool areSourcesChecked)
    {
        var problems = new List<string>();
        var notes = new List<string>();
        var target = Attempt(() => specification.Target.Load(read));
        var backbones = new Dictionary<string, string>();
        var sources = specification.Sources.Select(source => Attempt(() => SourceStage(specification, source, read, areSourcesChecked, backbones, notes))).ToList();
        if (target is not null)
        {
            Attempt(() => new ShardPlan(target.Train.Count, specification.Weights.Shards, specification.Weights.BatchSize, seed: 0));
            Attempt(() => specification.FineTune.PlanFor(target.Train.Count, seed: 0));
            if (target.IsSynthetic) notes.Add($"the target '{target.Name}' is synthetic: drawn by seed, not taken from patients");
        }
        problems.AddRange(SameStarts(specification, sources, notes));
        if (problems.Count > 0) throw new InputException(string.Join('\n', problems.Distinct()));

        var layout = new TrialLayout(specification, target!, sources!);
        var methods = specification.Methods.SelectMany(layout.Methods).ToList();
        if ((long)methods.Count * specification.Seeds.Count > MaxTrials)
            throw new InputException($"The specification unfolds to {methods.Count} methods with {specification.Seeds.Count} seeds each; at most {MaxTrials} trials are allowed.");
        var trials = methods
            .SelectMany(method => specification.Seeds.Select(seed => (method, seed)))
            .Select((item, index) => layout.Trial(index + 1, item.method, item.seed)).ToList();
        return new Plan(specification, target!, trials, [.. notes.Distinct()]);

        T? Attempt<T>(Func<T> load) where T : class
        {
            try
            {
                return load();
            }
            catch (InputException error)
            {
                problems.Add(error.Message);
                return null;
            }
        }
    }

    /// <summary>The stage that gives a source's weights: a file read and checked now, or a pretraining.</summary>
    /// <param name="backbones">Names of the sources by their backbones' hashes: one model in two files is one model.</param>
    private static Stage SourceStage(Specification specification, SourceModel source, FileReader read, bool isChecked, Dictionary<string, string> backbones, List<string> notes)
    {
        if (source.Pretrain is { } pretrain)
            return PretrainStage(pretrain, specification.Architecture, specification.Threads, specification.Device, read);
        if (isChecked && FrozenSpecification.HashOf(source.Weights!) is { } hash) return new ImportStage(source.Weights!, hash, specification.Architecture);
        var bytes = read(source.Weights!, ModelFile.Kind);
        var origin = $"source '{source.Name}' ('{source.Weights}')";
        using var file = ModelFile.Read(bytes, origin);
        var found = new List<string>();
        using var weights = ModelImport.Import(specification.Architecture, file, origin, found);
        PreparedSource.Fold(source.Name, specification.Architecture, weights).Dispose(); // to refuse now what could not be folded later
        var backbone = SourceHash.Compute(specification.Architecture, weights);
        if (!backbones.TryAdd(backbone, source.Name)) throw new InputException(SameModel(backbones[backbone], source.Name));
        if (found.Count > 0) notes.Add($"source '{source.Name}': {string.Join(", ", found)}");
        return new ImportStage(source.Weights!, ContentHash.Of(bytes), specification.Architecture);
    }

    /// <summary>Training a source model from scratch.</summary>
    public static FineTuneStage PretrainStage(Pretraining pretraining, Architecture architecture, int threads, string device, FileReader read)
    {
        var data = pretraining.Data.Load(read);
        pretraining.Training.PlanFor(data.Train.Count, pretraining.Seed);
        var untrained = new UntrainedStage(architecture, data.Classes, pretraining.Seed, UntrainedStage.Pretraining);
        return new FineTuneStage(untrained, Head: null, KeepsHead: true, pretraining.Training, new TargetContext(architecture, data, threads, Kind(device)), pretraining.Seed);
    }

    /// <summary>
    /// Merging is for models of different initialisations: the same model twice is refused, and two pretrainings from the same random
    /// weights are noted.
    /// </summary>
    private static IEnumerable<string> SameStarts(Specification specification, IReadOnlyList<Stage?> sources, List<string> notes)
    {
        var known = new Dictionary<string, string>();
        foreach (var (source, stage) in specification.Sources.Zip(sources))
        {
            if (stage is null) continue;
            if (!known.TryAdd(stage.Key, source.Name))
                yield return SameModel(known[stage.Key], source.Name);
            else if (stage is FineTuneStage { Start: var start } && !known.TryAdd(start.Key, source.Name))
                notes.Add($"the sources '{known[start.Key]}' and '{source.Name}' are pretrained from the same random weights: give one another 'seed'");
        }
    }

    private static string SameModel(string one, string other) =>
        $"The sources '{one}' and '{other}' are the same model. Merging needs models of different initialisations: give another file, or another 'seed' to 'pretrain'.";

    /// <summary>The kind of a device: <c>cpu</c> or <c>cuda</c>.</summary>
    public static string Kind(string device) => device.Split(':')[0];
}
