using System.Text.Json;
using System.Text.Json.Serialization;

namespace MedMerge.Experiments.Stages;

/// <summary>
/// One step of a trial: a function of its inputs, its settings and a seed. Its key is the hash of those, so that equal stages of different
/// trials are one, and a run that was killed goes on where it was.
/// </summary>
public abstract record Stage
{
    /// <summary>Counted up whenever a stage's numbers change, so that old artefacts are not taken for new ones.</summary>
    private const int Version = 2;

    private static readonly JsonSerializerOptions KeyJson = new() { Converters = { new JsonStringEnumConverter() } };
    private string? _key;

    /// <summary>What it does, in a word: <c>pretrain</c>, <c>weigh</c>, …</summary>
    public abstract string Name { get; }

    /// <summary>The stages whose outputs it reads.</summary>
    public abstract IReadOnlyList<Stage> Inputs { get; }

    /// <summary>Whether a cluster spreads it over several devices, with a coordinator that holds its state.</summary>
    public virtual bool HasCoordinator => false;

    /// <summary>Everything else that its output depends on, as a value that serialises to JSON.</summary>
    protected abstract object Settings { get; }

    /// <summary>Expected work in images seen × pixels, a backward pass counting as two forward ones: to tell the time left.</summary>
    public abstract double Cost { get; }

    /// <summary>SHA-256 of name, version, settings and the inputs' keys, in hexadecimal.</summary>
    public string Key => _key ??= ComputeKey();

    /// <summary>Computes the output from the inputs' outputs, in their order.</summary>
    public abstract Task<StageOutput> ExecuteAsync(IReadOnlyList<StageOutput> inputs, StageContext context, CancellationToken cancellation);

    private string ComputeKey()
    {
        var recipe = JsonSerializer.Serialize(new { Name, Version, Settings, Inputs = Inputs.Select(input => input.Key) }, KeyJson);
        return ContentHash.Of(recipe);
    }
}
