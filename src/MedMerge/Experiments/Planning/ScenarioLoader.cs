using MedMerge.Data;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Planning;

/// <summary>Loads the data sets and sources that a specification names, and collects everything that is wrong with them.</summary>
/// <param name="read">Gives the files.</param>
/// <param name="areSourcesChecked">Weight files whose hash is known are not read again.</param>
internal sealed class ScenarioLoader(Specification specification, FileReader read, bool areSourcesChecked)
{
    private readonly List<string> _problems = [];
    private readonly List<string> _notes = [];

    /// <summary>Names of the sources by their backbones' hashes: one model in two files is one model.</summary>
    private readonly Dictionary<string, string> _backbones = [];

    /// <summary>What was decided while reading, for the user to know.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>The scenarios that the specification unfolds to.</summary>
    /// <exception cref="InputException">Data or weights are missing or unusable; the message lists everything found.</exception>
    public IReadOnlyList<Scenario> Load()
    {
        var target = TryLoad(() => specification.Target.Load(read));
        var sources = specification.Sources.Select(source => TryLoad(() => LoadSource(source))).ToList();
        if (target is not null) CheckTarget(target);
        CheckStarts(sources);
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
        TryLoad(() => new ShardPlan(target.Train.Count, settings.KernelWeights.Shards, settings.KernelWeights.BatchSize, seed: 0));
        TryLoad(() => settings.FineTune.PlanFor(target.Train.Count, seed: 0));
        if (target.IsSynthetic) _notes.Add($"the target '{target.Name}' is synthetic: drawn by seed, not taken from patients");
    }

    /// <summary>The stage that gives a source's weights: a file read and checked now, or a pretraining.</summary>
    private Stage LoadSource(SourceModel source)
    {
        var architecture = specification.Architecture;
        if (source.Pretrain is { } pretrain)
            return PretrainStages.Create(pretrain, architecture, specification.Settings, read);
        if (areSourcesChecked && FrozenSpecification.HashOf(source.Weights!) is { } hash)
            return new ImportStage(source.Weights!, hash, architecture);

        var bytes = read(source.Weights!, ModelFile.Kind);
        var origin = $"source '{source.Name}' ('{source.Weights}')";
        using var file = ModelFile.Read(bytes, origin);
        var found = new List<string>();
        using var weights = Models.ModelImport.Import(architecture, file, origin, found);
        PreparedSource.Fold(source.Name, architecture, weights).Dispose(); // to refuse now what could not be folded later
        var backbone = SourceHash.Compute(architecture, weights);
        if (!_backbones.TryAdd(backbone, source.Name)) throw new InputException(DescribeSameModel(_backbones[backbone], source.Name));
        if (found.Count > 0) _notes.Add($"source '{source.Name}': {string.Join(", ", found)}");
        return new ImportStage(source.Weights!, ContentHash.Of(bytes), architecture);
    }

    /// <summary>
    /// Merging is for models of different initialisations: the same model twice is refused, and two pretrainings from the same random
    /// weights are noted.
    /// </summary>
    private void CheckStarts(IReadOnlyList<Stage?> sources)
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
