using System.Text.Json.Nodes;

namespace MedMerge.Experiments.Specifications;

/// <summary>
/// A setting of a specification. The reader, the JSON schema, the table in docs/specification.md, results and reports
/// all use this declaration.
/// </summary>
/// <typeparam name="TOwner">The record that holds it.</typeparam>
/// <param name="path">Its path in the YAML, relative to its owner: <c>learningRate</c>, or <c>fineTune.learningRate</c>.</param>
/// <param name="help">Its meaning in a few words.</param>
internal abstract class Setting<TOwner>(string path, string help)
{
    /// <summary>Its path in the YAML.</summary>
    public string Path { get; } = path;

    /// <summary>Its meaning in a few words.</summary>
    public string Help { get; } = help;

    /// <summary>The values it takes, as shown in documentation: <c>1 to 1024</c>.</summary>
    public abstract string Range { get; }

    /// <summary>Its default as written in YAML; null if that depends on the machine.</summary>
    public abstract string? DefaultText { get; }

    /// <summary>Its value as shown in results: a number or a word.</summary>
    public abstract JsonNode GetValue(TOwner owner);

    /// <summary>Creates its part of the JSON schema.</summary>
    public abstract JsonObject CreateSchema();

    /// <summary>Reads it from the YAML of its owner; an invalid value is recorded as an error.</summary>
    /// <returns>The owner with the value, or unchanged if the key is absent or invalid.</returns>
    internal abstract TOwner Read(YamlMap map, TOwner owner);

    /// <summary>Creates the same setting relative to the record that contains its owner.</summary>
    /// <param name="key">The owner's key in that record.</param>
    public Setting<TOuter> Within<TOuter>(string key, Func<TOuter, TOwner> get, Func<TOuter, TOwner, TOuter> with) =>
        new NestedSetting<TOuter, TOwner>(key, this, get, with);
}

/// <summary>A setting relative to the record that contains its owner.</summary>
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
        map.FindMap(key) is { } nested ? with(owner, inner.Read(nested, get(owner))) : owner;
}
