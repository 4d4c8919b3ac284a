using MedMerge.Data;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Planning;

/// <summary>Loads the data sets and sources that a specification names, and collects all problems with them.</summary>
/// <param name="read">Reads the files.</param>
/// <param name="areSourcesChecked">Whether weight files with a known hash were checked before and need not be read.</param>
internal sealed class ScenarioLoader(Specification specification, FileReader read, bool areSourcesChecked)
{
    private readonly List<string> _problems = [];
    private readonly List<string> _notes = [];

    /// <summary>Names of the sources by backbone hash, to find the same model in two files.</summary>
    private readonly Dictionary<string, string> _backbones = [];

    /// <summary>Decisions made while reading, to show to the user.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Loads the specification's scenarios.</summary>
    /// <exception cref="InputException">Data or weights are missing or unusable; the message lists every problem.</exception>
    public IReadOnlyList<Scenario> Load()
    {
        var target = TryLoad(() => specification.Target.Load(read));
        var sources = specification.Sources.Select(source => TryLoad(() => LoadSource(source))).ToList();
        if (target is not null) CheckTarget(target);
        CheckInitialisations(sources);
        if (_problems.Count > 0) throw new InputException(string.Join('\n', _problems.Distinct()));

        var scenario = new Scenario(
            specification.Name,
            specification.Architecture,
            target!,
            [.. specification.Sources.Zip(sources, (model, stage) => new ScenarioSource(model, stage!))],
            specification.Anchor,
            specification.Settings,
            specification.Seeds);
        return [scenario];
    }

    private void CheckTarget(ImageDataset target)
    {
        var settings = specification.Settings;
        var kernelWeights = settings.KernelWeights;
        TryLoad(() => new ShardPlan(target.Train.Count, kernelWeights.Shards, kernelWeights.BatchSize, seed: 0));
        TryLoad(() => settings.FineTune.PlanFor(target.Train.Count, seed: 0));
        CheckSide(target, specification.Architecture.MinSide);
        if (target.IsSynthetic)
            _notes.Add($"the target '{target.Name}' is synthetic: drawn by seed, not taken from patients");
    }

    private void CheckSide(ImageDataset data, int minSide)
    {
        if (data.Height >= minSide && data.Width >= minSide) return;
        _problems.Add($"{specification.Architecture.Title} needs images of at least {minSide} × {minSide} pixels; " +
                      $"those of {data.Name} have {data.Height} × {data.Width}.");
    }

    /// <summary>
    /// Creates the stage that provides a source: the import of a file, which is checked here, or a pretraining.
    /// </summary>
    private Stage LoadSource(SourceModel source)
    {
        var architecture = specification.Architecture;
        if (source.Pretrain is { } pretrain)
            return PretrainStages.Create(pretrain, architecture, specification.Settings, read);
        if (areSourcesChecked && FrozenSpecification.HashOf(source.Weights!) is { } hash)
            return new ImportStage(source.Weights!, hash, architecture);

        var bytes = read(source.Weights!, ModelFile.Kind);
        CheckWeights(source, bytes);
        return new ImportStage(source.Weights!, ContentHash.Of(bytes), architecture);
    }

    private void CheckWeights(SourceModel source, byte[] bytes)
    {
        var architecture = specification.Architecture;
        var origin = $"source '{source.Name}' ('{source.Weights}')";
        using var file = ModelFile.Read(bytes, origin);
        var notes = new List<string>();
        using var weights = Models.ModelImport.Import(architecture, file, origin, notes);
        PreparedSource.Fold(source.Name, architecture, weights).Dispose(); // refuses now what could not be folded later
        var backbone = SourceHash.Compute(architecture, weights);
        if (!_backbones.TryAdd(backbone, source.Name))
            throw new InputException(DescribeSameModel(_backbones[backbone], source.Name));
        if (notes.Count > 0) _notes.Add($"source '{source.Name}': {string.Join(", ", notes)}");
    }

    /// <summary>
    /// Merging is for models of different initialisations: the same model twice is an error, and two pretrainings from
    /// the same random weights are noted.
    /// </summary>
    private void CheckInitialisations(IReadOnlyList<Stage?> sources)
    {
        var known = new Dictionary<string, string>();
        foreach (var (source, stage) in specification.Sources.Zip(sources))
        {
            if (stage is null) continue;
            if (!known.TryAdd(stage.Key, source.Name))
            {
                _problems.Add(DescribeSameModel(known[stage.Key], source.Name));
            }
            else if (stage is FineTuneStage { Start: var start } && !known.TryAdd(start.Key, source.Name))
            {
                _notes.Add($"the sources '{known[start.Key]}' and '{source.Name}' are pretrained from the same random weights: " +
                           "give one another 'seed'");
            }
        }
    }

    private T? TryLoad<T>(Func<T> load) where T : class
    {
        try
        {
            return load();
        }
        catch (InputException error)
        {
            _problems.Add(error.Message);
            return null;
        }
    }

    private static string DescribeSameModel(string one, string other) =>
        $"The sources '{one}' and '{other}' are the same model. Merging needs models of different initialisations: " +
        "give another file, or another 'seed' to 'pretrain'.";
}
