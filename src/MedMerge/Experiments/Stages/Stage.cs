using System.Text.Json;
using System.Text.Json.Serialization;

namespace MedMerge.Experiments.Stages;

/// <summary>
/// One step of a trial: a function of its inputs, its settings and a seed. Its key is the hash of those, so that trials
/// share equal stages, and an interrupted run resumes from finished ones. Stages of a computation of their own are shared by none but its
/// trials.
/// </summary>
internal abstract record Stage
{
    /// <summary>Incremented whenever the numbers of a stage change, so that old artefacts are not reused.</summary>
    private const int Version = 7;

    private static readonly JsonSerializerOptions KeyJson = new()
    {
        Converters = { new JsonStringEnumConverter() },
    };

    private readonly string? _computation;
    private string? _recipe;
    private string? _key;

    /// <summary>A stage.</summary>
    protected Stage()
    {
    }

    /// <summary>What <c>with</c> begins with: it has a key of its own.</summary>
    protected Stage(Stage original)
    {
        ArgumentNullException.ThrowIfNull(original);
        _computation = original._computation;
    }

    /// <summary>What it does, in one word: <c>probe</c>, <c>weigh</c>, …</summary>
    public abstract string Name { get; }

    /// <summary>The stages whose outputs it reads.</summary>
    public abstract IReadOnlyList<Stage> Inputs { get; }

    /// <summary>Whether a cluster distributes it over several devices, with a coordinator that holds its state.</summary>
    public virtual bool HasCoordinator => false;

    /// <summary>Whether its output is a source that is prepared for merging: folded or split.</summary>
    public virtual bool IsPrepared => false;

    /// <summary>Whether it trains in epochs, each of which has a span of its own.</summary>
    public virtual bool HasEpochs => false;

    /// <summary>Everything else that its output depends on, as a value that is serialised to JSON for the key.</summary>
    protected abstract object Settings { get; }

    /// <summary>
    /// Expected work in images × pixels, to estimate the remaining time. A backward pass counts as two forward passes.
    /// </summary>
    public abstract double Cost { get; }

    /// <summary>
    /// About how many bytes of the device's memory it takes, so that a node does not begin more than it has room for; zero where that is
    /// little. Device thread only.
    /// </summary>
    public virtual long EstimateMemory() => 0;

    /// <summary>
    /// What it is computed for, apart from all equal stages: a stage without inputs is given it, others have that of their inputs. Null
    /// where equal stages share one output.
    /// </summary>
    public string? Computation
    {
        get => _computation ?? Inputs.FirstOrDefault()?.Computation;
        init => _computation = value;
    }

    /// <summary>SHA-256 of name, version, settings and the inputs' recipes, in hexadecimal: the same for equal stages.</summary>
    public string Recipe => _recipe ??= ComputeRecipe();

    /// <summary>What its output is stored by: the <see cref="Recipe"/>, or its hash with the <see cref="Computation"/>.</summary>
    public string Key => _key ??= Computation is { } computation ? ContentHash.Of($"{Recipe} {computation}") : Recipe;

    /// <summary>Computes the output.</summary>
    /// <param name="inputs">The outputs of <see cref="Inputs"/>, in the same order.</param>
    public abstract Task<StageOutput> ExecuteAsync(
        IReadOnlyList<StageOutput> inputs,
        StageContext context,
        CancellationToken cancellation);

    private string ComputeRecipe()
    {
        var recipe = new { Name, Version, Settings, Inputs = Inputs.Select(input => input.Recipe) };
        return ContentHash.Of(JsonSerializer.Serialize(recipe, KeyJson));
    }
}
