using System.Text.Json.Nodes;

namespace MedMerge.Experiments.Specifications;

/// <summary>
/// A setting of a specification, declared once: the reader, the JSON schema, the table in docs/specification.md, results and reports all use
/// this declaration.
/// </summary>
/// <typeparam name="TOwner">The record that holds it.</typeparam>
/// <param name="path">Where it stands in the YAML, seen from its owner: <c>learningRate</c>, or <c>fineTune.learningRate</c>.</param>
/// <param name="help">What it means, in a few words.</param>
public abstract class Setting<TOwner>(string path, string help)
{
    /// <summary>Where it stands in the YAML.</summary>
    public string Path { get; } = path;

    /// <summary>What it means.</summary>
    public string Help { get; } = help;

    /// <summary>What values it takes, as documentation says it: <c>1 to 1024</c>.</summary>
    public abstract string Range { get; }

    /// <summary>Its default as written in YAML; null where that depends on the machine.</summary>
    public abstract string? DefaultText { get; }

    /// <summary>Its value, as results name it: a number or a word.</summary>
    public abstract JsonNode GetValue(TOwner owner);

    /// <summary>What editors know of it.</summary>
    public abstract JsonObject CreateSchema();

    /// <summary>Reads it from the YAML of its owner; a value out of range is noted as an error.</summary>
    /// <returns>The owner with the value, or as it was where the key is absent or wrong.</returns>
    internal abstract TOwner Read(YamlMap map, TOwner owner);

    /// <summary>The same setting seen from an outer record.</summary>
    /// <param name="key">The owner's key there.</param>
    public Setting<TOuter> Within<TOuter>(string key, Func<TOuter, TOwner> get, Func<TOuter, TOwner, TOuter> with) =>
        new NestedSetting<TOuter, TOwner>(key, this, get, with);
}

/// <summary>A setting seen from the record around its owner.</summary>
internal sealed class NestedSetting<TOuter, TOwner>(
    string key,
    Setting<TOwner> inner,
    Func<TOuter, TOwner> get,
    Func<TOuter, TOwner, TOuter> with) : Setting<TOuter>($"{key}.{inner.Path}", inner.Help)
{
    /// <inheritdoc />
    public override string Range => inner.Range;

    /// <inheritdoc />
    public override string? DefaultText => inner.DefaultText;

    /// <inheritdoc />
    public override JsonNode GetValue(TOuter owner) => inner.GetValue(get(owner));

    /// <inheritdoc />
    public override JsonObject CreateSchema() => inner.CreateSchema();

    /// <inheritdoc />
    internal override TOuter Read(YamlMap map, TOuter owner) =>
        map.Map(key) is { } nested ? with(owner, inner.Read(nested, get(owner))) : owner;
}
