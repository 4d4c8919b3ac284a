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

    /// <summary>Its default as written in YAML; null if that depends on the machine or the data.</summary>
    public abstract string? DefaultText { get; }

    /// <summary>Its value as shown in results: a number or a word; null if it is optional and left out.</summary>
    public abstract JsonNode? GetValue(TOwner owner);

    /// <summary>Creates its part of the JSON schema.</summary>
    public abstract JsonObject CreateSchema();

    /// <summary>Copies the owner with a value as written in YAML.</summary>
    /// <param name="problem">What the text must be, such as <c>a whole number from 1 to 8</c>; null if it is valid.</param>
    /// <returns>The owner with the value, or unchanged if the text is invalid.</returns>
    public abstract TOwner With(TOwner owner, string text, out string? problem);

    /// <summary>Reads it from the YAML of its owner; an invalid value is recorded as an error.</summary>
    /// <returns>The owner with the value, or unchanged if the key is absent or invalid.</returns>
    internal TOwner Read(YamlMap map, TOwner owner)
    {
        if (map.ReadText(Path) is not { } text) return owner;
        var changed = With(owner, text, out var problem);
        if (problem is not null) map.AddError(Path, $"'{map.GetPath(Path)}' is '{text}'; it must be {problem}");
        return changed;
    }

    /// <summary>Creates the same setting relative to the record that contains its owner.</summary>
    /// <param name="key">The owner's key in that record; null where its settings stand among the record's own.</param>
    public Setting<TOuter> Within<TOuter>(string? key, Func<TOuter, TOwner> get, Func<TOuter, TOwner, TOuter> with) =>
        new NestedSetting<TOuter, TOwner>(key, this, get, with);
}

/// <summary>A setting relative to the record that contains its owner.</summary>
internal sealed class NestedSetting<TOuter, TOwner>(
    string? key,
    Setting<TOwner> inner,
    Func<TOuter, TOwner> get,
    Func<TOuter, TOwner, TOuter> with) : Setting<TOuter>(key is null ? inner.Path : $"{key}.{inner.Path}", inner.Help)
{
    /// <inheritdoc />
    public override string Range => inner.Range;

    /// <inheritdoc />
    public override string? DefaultText => inner.DefaultText;

    /// <inheritdoc />
    public override JsonNode? GetValue(TOuter owner) => inner.GetValue(get(owner));

    /// <inheritdoc />
    public override JsonObject CreateSchema() => inner.CreateSchema();

    /// <inheritdoc />
    public override TOuter With(TOuter owner, string text, out string? problem) => with(owner, inner.With(get(owner), text, out problem));
}
