using MedMerge.Data;
using MedMerge.Data.Checks;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Planning;

/// <summary>Loads the data sets and sources that a specification names, and collects all problems with them.</summary>
/// <param name="loadData">Loads a data set.</param>
/// <param name="readWeights">Reads weight files; null for a frozen specification, whose weight files were checked before.</param>
internal sealed class ScenarioLoader(
    Specification specification,
    Func<DatasetSource, ImageDataset> loadData,
    FileReader? readWeights)
{
    private readonly Dictionary<DatasetSource, ImageDataset> _datasets = [];
    private readonly HashSet<(int? Line, string Message)> _problems = [];

    /// <summary>What could not be loaded, and is not tried again for every scenario.</summary>
    private readonly HashSet<object> _failed = [];
    private readonly List<string> _notes = [];
    private readonly HashSet<ImageDataset> _checkedTargets = [];
    private readonly HashSet<(ImageDataset Trained, ImageDataset Target)> _checkedPairs = [];

    private readonly Dictionary<SourceKey, Stage> _stages = [];

    /// <summary>Names of the sources by backbone hash, to find the same model in two files.</summary>
    private readonly Dictionary<string, string> _backbones = [];

    /// <summary>Weight files that do not say, and of which the specification does not say, what they were trained on.</summary>
    private readonly HashSet<SourceModel> _unnormalised = [];

    /// <summary>Decisions made while reading, to show to the user.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>The data sets that were loaded, by how the specification names them.</summary>
    public IReadOnlyDictionary<DatasetSource, ImageDataset> Datasets => _datasets;

    /// <summary>Whether it was checked, and what is odd about its images noted, when it was submitted.</summary>
    private bool IsFrozen => readWeights is null;

    /// <summary>Loads the specification's scenarios: one for each point of its settings.</summary>
    /// <exception cref="InputException">Data or weights are missing or unusable; the message lists every problem.</exception>
    public IReadOnlyList<Scenario> Load()
    {
        var points = specification.GetPoints().ToList();
        var scenarios = points.Select(LoadScenario).ToList();
        LoadUnused(points[0].Settings);
        ThrowIfAny();
        return [.. scenarios.Select(scenario => scenario!)];
    }

    /// <summary>
    /// Reads a specification. Where its text has errors, the data sets and weight files that it names all the same are read too, so that
    /// their errors show with the others.
    /// </summary>
    /// <param name="readText">Reads the specification.</param>
    /// <exception cref="InputException">There are errors; the message lists all of them.</exception>
    public static Specification Read(Func<Specification> readText, FileReader readFile)
    {
        try
        {
            return readText();
        }
        catch (SpecificationException invalid)
        {
            foreach (var (line, message) in FindProblems(invalid.Files, readFile)) invalid.Errors.Add(line, message);
            throw new InputException(invalid.Errors.Describe(invalid.Origin), invalid);
        }
    }

    private static IEnumerable<(int? Line, string Message)> FindProblems(ReadableFiles files, FileReader readFile)
    {
        var sources = files.Sources
            .Where(source => source.Weights is null != source.Pretrain is null)
            .Where(source => !files.Lines.IsMissing(source.Weights ?? source.Pretrain!.Data.Location))
            .DistinctBy(source => source.Name)
            .Select(source => source with { From = null }) // it may be missing, or go round in circles
            .ToList();
        var specification = new Specification
        {
            Name = "",
            Target = new DatasetSource(""),
            Architecture = files.Architecture ?? Architectures.Create("resnet20"),
            Sources = sources,
            Methods = [],
            Seeds = [],
            Lines = files.Lines,
        };
        var loader = new ScenarioLoader(specification, data => data.Load(readFile), readFile);
        foreach (var target in files.Targets.Where(target => !files.Lines.IsMissing(target.Location))) loader.LoadData(target);
        foreach (var source in sources)
        {
            if (files.Architecture is not null) loader.LoadSource(source, specification.Settings);
            else if (source.Pretrain is { } pretrain) loader.LoadData(pretrain.Data);
        }
        return loader._problems;
    }

    /// <summary>A specification is checked whole, and stored whole: so are sources that no scenario takes.</summary>
    private void LoadUnused(ScenarioSettings settings)
    {
        var used = _stages.Keys.Select(key => key.Name).ToHashSet();
        foreach (var source in specification.Sources.Where(source => !used.Contains(source.Name)))
        {
            LoadSource(source, settings);
            _notes.Add($"no scenario takes the source '{source.Name}'");
        }
    }

    private void ThrowIfAny()
    {
        if (_problems.Count == 0) return;
        if (specification.Lines is not { } lines) throw new InputException(string.Join('\n', _problems.Select(problem => problem.Message)));
        var errors = new SpecificationErrors();
        foreach (var (line, message) in _problems) errors.Add(line, message);
        errors.ThrowIfAny(lines.Origin);
    }

    /// <summary>Loads one scenario; null if there are problems.</summary>
    private Scenario? LoadScenario(ScenarioPoint point)
    {
        var data = point.Target ?? specification.Target;
        var target = LoadData(data);
        var models = point.Sources?.Select(index => specification.Sources[index]).ToList() ?? specification.Sources;
        var sources = models.Select(source => (Model: source, Stage: LoadSource(source, point.Settings))).ToList();
        if (target is not null) CheckTarget(target, specification.Lines?.Find(data), point.Settings);
        CheckInitialisations(sources);
        if (point.Settings.InputNormalisation == SourceInput.Source) CheckNormalisation(models);
        if (target is not null) CheckLeakage(models, target);
        if (_problems.Count > 0) return null;
        return new Scenario(
            point.Name,
            specification.Architecture,
            target!,
            [.. sources.Select(source => new ScenarioSource(source.Model, Adapt(source.Stage!, source.Model, target!, point.Settings)))],
            specification.IsAnchorBestProbe ? null : point.Anchor ?? specification.Anchor,
            point.Settings,
            specification.Seeds)
        {
            Halving = specification.Halving,
            Computation = specification.Computation,
        };
    }

    /// <summary>Loads a data set, once if several parts of the specification name it; null where that failed.</summary>
    private ImageDataset? LoadData(DatasetSource source)
    {
        if (_datasets.TryGetValue(source, out var known)) return known;
        var loaded = TryOnce(source, specification.Lines?.Find(source), () => loadData(source));
        if (loaded is not null) _datasets[source] = loaded;
        return loaded;
    }

    private void CheckTarget(ImageDataset target, int? line, ScenarioSettings settings)
    {
        Try(line, () => settings.KernelWeights.PlanFor(target.Train, seed: 0));
        Try(line, () => settings.FineTune.PlanFor(target.Train, seed: 0));
        Try(line, () => Check(target, settings));
        if (target.IsSynthetic)
            _notes.Add($"the target '{target.Name}' is synthetic: drawn by seed, not taken from patients");
        if (!IsFrozen && _checkedTargets.Add(target))
            Note(DatasetChecks.Run(target), line, $"the target '{target.Name}'");
    }

    private ImageDataset Check(ImageDataset target, ScenarioSettings settings)
    {
        settings.KernelWeights.Imbalance.Check(target);
        settings.FineTune.Imbalance.Check(target);
        specification.Architecture.Check(target);
        return target;
    }

    /// <summary>
    /// Creates the stage that provides a source: the import of a file, which is checked here, or a pretraining; null where that failed.
    /// Scenarios share it where they can.
    /// </summary>
    private Stage? LoadSource(SourceModel source, ScenarioSettings settings)
    {
        var key = source.Pretrain is null
            ? new SourceKey(source.Name)
            : new SourceKey(source.Name, settings.Threads, settings.DeviceKind, settings.InputNormalisation);
        if (_stages.TryGetValue(key, out var stage)) return stage;
        var created = TryOnce(key, specification.Lines?.Find(source.Name), () => CreateStage(source, settings));
        if (created is not null) _stages[key] = created;
        return created;
    }

    /// <returns>Null where what it is made from could not be loaded.</returns>
    private Stage? CreateStage(SourceModel source, ScenarioSettings settings)
    {
        var architecture = specification.Architecture;
        if (source.Pretrain is { } pretrain)
        {
            var beginning = specification.Sources.SingleOrDefault(other => other.Name == source.From);
            var from = beginning is null ? null : LoadSource(beginning, settings);
            if (beginning is not null && from is null) return null;
            if (LoadData(pretrain.Data) is not { } data) return null;
            if (from is not null) from = Adapt(from, beginning!, data, settings);
            return PretrainStages.Create(pretrain, data, architecture, settings, from, specification.Computation);
        }
        if (readWeights is null) return CreateImport(FrozenSpecification.GetHash(source.Weights!));

        var bytes = readWeights(source.Weights!, ModelFile.Kind);
        CheckWeights(source, bytes);
        return CreateImport(ContentHash.Of(bytes));

        ImportStage CreateImport(string hash) => new(source.Weights!, source.Prefix, hash, architecture)
        {
            Computation = specification.Computation,
        };
    }

    private void CheckNormalisation(IEnumerable<SourceModel> sources)
    {
        var origins = sources.SelectMany(source => source.GetOrigins(specification.Sources));
        foreach (var source in origins.Where(_unnormalised.Contains))
        {
            _problems.Add((
                specification.Lines?.Find(source.Name),
                $"'inputNormalisation' is 'source', and the file of the source '{source.Name}' does not say how its training images were " +
                $"normalised: give the source a 'normalisation' ({string.Join(", ", InputNormalisation.Known.Keys)})"));
        }
    }

    /// <summary>A source as images of a data set need it.</summary>
    private Stage Adapt(Stage source, SourceModel model, ImageDataset data, ScenarioSettings settings) =>
        settings.InputNormalisation == SourceInput.Source
            ? new AdaptInputStage(source, model.Normalisation, InputNormalisation.Of(data), specification.Architecture)
            : source;

    private void CheckWeights(SourceModel source, byte[] bytes)
    {
        var architecture = specification.Architecture;
        var origin = $"source '{source.Name}' ('{source.Weights}')";
        using var file = ModelFile.Read(bytes, origin);
        var notes = new List<string>();
        using var weights = ModelImport.Import(architecture, file, source.Prefix, origin, notes);
        PreparedSource.Prepare(source.Name, architecture, weights).Dispose(); // refuses now what could not be folded later
        if (source.Normalisation is null && ModelSignature.Read(file.Metadata) is null) _unnormalised.Add(source);
        var backbone = SourceHash.Compute(architecture, weights);
        if (!_backbones.TryAdd(backbone, source.Name))
            throw new InputException(DescribeSameModel(_backbones[backbone], source.Name));
        if (notes.Count > 0) _notes.Add($"source '{source.Name}': {string.Join(", ", notes)}");
    }

    /// <summary>
    /// Merging is for models of different initialisations: the same model twice is an error, and two pretrainings from
    /// the same random weights are noted.
    /// </summary>
    private void CheckInitialisations(IReadOnlyList<(SourceModel Model, Stage? Stage)> sources)
    {
        var known = new Dictionary<string, string>();
        foreach (var (source, stage) in sources)
        {
            if (stage is null) continue;
            if (!known.TryAdd(stage.Key, source.Name))
            {
                _problems.Add((specification.Lines?.Find(source.Name), DescribeSameModel(known[stage.Key], source.Name)));
            }
            else if (source.From is not null)
            {
                _notes.Add($"the source '{source.Name}' is trained on from '{source.From}': sources that share a beginning are no test " +
                           "of merging different initialisations");
            }
            else if (stage is FineTuneStage { Start: var start } && !known.TryAdd(start.Key, source.Name))
            {
                _notes.Add($"the sources '{known[start.Key]}' and '{source.Name}' are pretrained from the same random weights: " +
                           "give one another 'seed'");
            }
        }
    }

    /// <summary>Looks for the target's images, or their origin, in what sources and those that they came from were trained on.</summary>
    private void CheckLeakage(IReadOnlyList<SourceModel> sources, ImageDataset target)
    {
        foreach (var source in sources)
        {
            foreach (var origin in source.GetOrigins(specification.Sources).Where(origin => origin.Pretrain is not null))
            {
                if (LoadData(origin.Pretrain!.Data) is not { } data) continue;
                if (data.ContentHash == target.ContentHash) NoteOwnData(source, origin);
                else if (!IsFrozen) CheckCopies(origin, data, target);
            }
        }
    }

    /// <summary>Such a source has seen more of the target's images than the budget says.</summary>
    private void NoteOwnData(SourceModel source, SourceModel origin)
    {
        var way = source == origin ? "" : $", by way of '{origin.Name}'";
        _notes.Add($"the source '{source.Name}' is pretrained on the target itself{way}, so its rows saw the images more often");
    }

    private void CheckCopies(SourceModel origin, ImageDataset data, ImageDataset target)
    {
        if (!_checkedPairs.Add((data, target))) return;
        if (OriginChecks.Between(data, target) is { } related)
            _notes.Add($"the source '{origin.Name}' is pretrained on '{data.Name}', and the target is '{target.Name}': {related}");
        var line = specification.Lines?.Find(origin.Name);
        DataNote[] notes = [.. GroupChecks.Between(data, target), .. CopyChecks.Between(data, target)];
        Note(notes, line, $"the source '{origin.Name}' and the target '{target.Name}'");
    }

    /// <summary>Adds notes on data, or problems where the specification refuses what they say.</summary>
    /// <param name="subject">What they are about, as it stands before each.</param>
    private void Note(IEnumerable<DataNote> notes, int? line, string subject)
    {
        foreach (var note in notes)
        {
            var text = $"{subject}: {note.Text}";
            var isRefused = note.IsLeak && specification.RefusesCopies;
            if (isRefused) _problems.Add((line, $"{text}, and '{Specification.CopiesKey}: refuse' is set"));
            else _notes.Add(text);
        }
    }

    /// <summary>Loads what did not fail before.</summary>
    private T? TryOnce<T>(object key, int? line, Func<T?> load) where T : class
    {
        if (_failed.Contains(key)) return null;
        var loaded = Try(line, load);
        if (loaded is null) _failed.Add(key);
        return loaded;
    }

    /// <summary>Records the error where there is one.</summary>
    /// <param name="line">Where the specification names what is loaded.</param>
    private T? Try<T>(int? line, Func<T?> load) where T : class
    {
        try
        {
            return load();
        }
        catch (InputException error)
        {
            _problems.Add((line, error.Message));
            return null;
        }
    }

    private static string DescribeSameModel(string one, string other) =>
        $"The sources '{one}' and '{other}' are the same model. Merging needs models of different initialisations: " +
        "give another file, or another 'seed' to 'pretrain'.";

    /// <summary>What the stage of a source depends on; a weight file's on the file alone.</summary>
    private sealed record SourceKey(string Name, int? Threads = null, string? Device = null, SourceInput? Input = null);
}
