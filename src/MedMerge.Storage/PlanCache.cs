using MedMerge.Data;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Experiments.Stages;

namespace MedMerge.Storage;

/// <summary>
/// Plans of frozen specifications, built once per node, with their data sets. The least recently used are dropped where all
/// together have more than a limit of images; the one that was asked for last is kept whatever its size.
/// </summary>
/// <param name="limit">In bytes.</param>
internal sealed class PlanCache(ArtefactStore artefacts, long limit)
{
    /// <summary>The limit of a node: a few data sets of the largest kind, or hundreds of small ones.</summary>
    public const long DefaultLimit = 2L << 30;

    /// <summary>Bounds what has hardly any images.</summary>
    private const int MaxPlans = 256;

    private readonly Lock _gate = new();
    private readonly LinkedList<(string Specification, Task<Plan> Plan)> _recent = [];

    private IEnumerable<Plan> BuiltPlans => _recent.Where(entry => entry.Plan.IsCompletedSuccessfully).Select(entry => entry.Plan.Result);

    /// <summary>With the <see cref="DefaultLimit"/>.</summary>
    public PlanCache(ArtefactStore artefacts) : this(artefacts, DefaultLimit)
    {
    }

    /// <summary>The plan of a frozen specification.</summary>
    /// <param name="specification">Its SHA-256.</param>
    /// <exception cref="InputException">What it names can't be used.</exception>
    /// <exception cref="MissingArtefactException">An artefact is missing or damaged.</exception>
    public Task<Plan> GetAsync(string specification)
    {
        lock (_gate)
        {
            var known = _recent.FirstOrDefault(entry => entry.Specification == specification);
            if (known.Plan is not null) _recent.Remove(known);
            var isUsable = known.Plan is { IsFaulted: false, IsCanceled: false };
            var plan = isUsable ? known.Plan! : Task.Run(() => BuildAsync(specification));
            _recent.AddFirst((specification, plan));
            while (_recent.Count > 1 && IsOverLimit()) _recent.RemoveLast();
            return plan;
        }
    }

    /// <summary>A frozen specification.</summary>
    /// <param name="hash">Its SHA-256.</param>
    /// <exception cref="MissingArtefactException">It is missing or damaged.</exception>
    /// <exception cref="JsonException">It is one of another version.</exception>
    public async Task<Specification> SpecificationAsync(string hash) =>
        FrozenSpecification.Read(await ArtefactAsync(hash, "specification", CancellationToken.None).ConfigureAwait(false));

    /// <summary>The SHA-256 of every packed data set and weight file that a frozen specification names.</summary>
    public async Task<IEnumerable<string>> FilesAsync(string specification)
    {
        var frozen = await SpecificationAsync(specification).ConfigureAwait(false);
        return FrozenSpecification.Files(frozen).Select(file => FrozenSpecification.GetHash(file.Location)).Distinct();
    }

    /// <summary>A trial with one of its stages.</summary>
    /// <param name="number">The trial's, from 1.</param>
    public async Task<(Trial Trial, Stage Stage)> StageAsync(string specification, int number, string key)
    {
        var plan = await GetAsync(specification).ConfigureAwait(false);
        var trial = plan.Trials[number - 1];
        return (trial, trial.Stages.First(stage => stage.Key == key));
    }

    /// <summary>A packed data set or weight file that a frozen specification names.</summary>
    public Task<byte[]> FileAsync(string location, string kind, CancellationToken cancellation) =>
        ArtefactAsync(FrozenSpecification.GetHash(location), $"{kind} '{location}'", cancellation);

    /// <summary>A plan that is being built counts once it is built, at the next question.</summary>
    private bool IsOverLimit()
    {
        if (_recent.Count > MaxPlans) return true;
        return BuiltPlans.SelectMany(plan => plan.Datasets.Values).Distinct().Sum(SizeOf) > limit;
    }

    /// <summary>A data set that a plan here has loaded already; sweeps often have targets or sources' data in common.</summary>
    private ImageDataset? FindDataset(DatasetSource source)
    {
        lock (_gate) return BuiltPlans.Select(plan => plan.Datasets.GetValueOrDefault(source)).FirstOrDefault(data => data is not null);
    }

    private static long SizeOf(ImageDataset data) =>
        new[] { data.Train, data.Validation, data.Test }.Sum(split => (long)split.Pixels.Length);

    private async Task<Plan> BuildAsync(string hash)
    {
        var specification = await SpecificationAsync(hash).ConfigureAwait(false);
        var datasets = new Dictionary<DatasetSource, ImageDataset>();
        foreach (var source in FrozenSpecification.Datasets(specification))
        {
            datasets[source] = FindDataset(source) ?? await ReadDatasetAsync(source).ConfigureAwait(false);
        }
        return Plan.BuildFrozen(specification, datasets);
    }

    private async Task<ImageDataset> ReadDatasetAsync(DatasetSource source)
    {
        var packed = await FileAsync(source.Location, ImageDataset.Kind, CancellationToken.None).ConfigureAwait(false);
        return PackedDataset.Read(packed, $"'{source.Location}'");
    }

    private async Task<byte[]> ArtefactAsync(string hash, string what, CancellationToken cancellation) =>
        await artefacts.ReadAsync(hash, cancellation).ConfigureAwait(false)
        ?? throw new MissingArtefactException(what, hash);
}
