using System.Globalization;
using System.Text.Json.Nodes;

namespace MedMerge.Experiments.Specifications;

/// <summary>Base of all kinds of settings: access to the owner, and the default.</summary>
/// <typeparam name="TOwner">The record that holds it; a new instance has the defaults.</typeparam>
/// <param name="isDefaultFixed">Whether the default is the same on every machine.</param>
internal abstract class ValueSetting<TOwner, TValue>(
    string path,
    string help,
    Func<TOwner, TValue> get,
    Func<TOwner, TValue, TOwner> with,
    bool isDefaultFixed = true) : Setting<TOwner>(path, help) where TOwner : new()
{
    /// <inheritdoc />
    public override string? DefaultText => isDefaultFixed ? GetValue(new TOwner()).ToString() : null;

    /// <inheritdoc />
    public override JsonNode GetValue(TOwner owner) => ToJson(get(owner));

    /// <inheritdoc />
    public override JsonObject CreateSchema()
    {
        var schema = DescribeType();
        if (isDefaultFixed) schema["default"] = GetValue(new TOwner());
        schema["description"] = Help;
        return schema;
    }

    /// <summary>Copies the owner with a new value.</summary>
    protected TOwner WithValue(TOwner owner, TValue value) => with(owner, value);

    /// <summary>The value as shown in results and as the schema's default.</summary>
    protected abstract JsonNode ToJson(TValue value);

    /// <summary>Describes type and range for the schema.</summary>
    protected abstract JsonObject DescribeType();
}

/// <summary>A whole number from <paramref name="min"/> to <paramref name="max"/>.</summary>
internal sealed class WholeNumberSetting<TOwner>(
    string path,
    string help,
    int min,
    int max,
    Func<TOwner, int> get,
    Func<TOwner, int, TOwner> with,
    bool isDefaultFixed = true) : ValueSetting<TOwner, int>(path, help, get, with, isDefaultFixed) where TOwner : new()
{
    /// <inheritdoc />
    public override string Range => string.Create(CultureInfo.InvariantCulture, $"{min} to {max}");

    /// <inheritdoc />
    internal override TOwner Read(YamlMap map, TOwner owner) =>
        map.ReadWhole(Path, min, max) is { } value ? WithValue(owner, value) : owner;

    /// <inheritdoc />
    protected override JsonNode ToJson(int value) => value;

    /// <inheritdoc />
    protected override JsonObject DescribeType() => new() { ["type"] = "integer", ["minimum"] = min, ["maximum"] = max };
}

/// <summary>A number from <paramref name="min"/> to <paramref name="max"/>.</summary>
internal sealed class NumberSetting<TOwner>(
    string path,
    string help,
    double min,
    double max,
    Func<TOwner, double> get,
    Func<TOwner, double, TOwner> with) : ValueSetting<TOwner, double>(path, help, get, with) where TOwner : new()
{
    /// <inheritdoc />
    public override string Range => string.Create(CultureInfo.InvariantCulture, $"{min} to {max}");

    /// <inheritdoc />
    internal override TOwner Read(YamlMap map, TOwner owner) =>
        map.ReadNumber(Path, min, max) is { } value ? WithValue(owner, value) : owner;

    /// <inheritdoc />
    protected override JsonNode ToJson(double value) => value;

    /// <inheritdoc />
    protected override JsonObject DescribeType() => new() { ["type"] = "number", ["minimum"] = min, ["maximum"] = max };
}

/// <summary>One of a set of words.</summary>
/// <param name="choices">The values by word.</param>
internal sealed class ChoiceSetting<TOwner, TValue>(
    string path,
    string help,
    IReadOnlyDictionary<string, TValue> choices,
    Func<TOwner, TValue> get,
    Func<TOwner, TValue, TOwner> with)
    : ValueSetting<TOwner, TValue>(path, help, get, with) where TOwner : new() where TValue : struct
{
    /// <inheritdoc />
    public override string Range => string.Join(", ", choices.Keys.Select(word => $"`{word}`"));

    /// <inheritdoc />
    internal override TOwner Read(YamlMap map, TOwner owner) =>
        map.ReadChoice(Path, choices) is { } value ? WithValue(owner, value) : owner;

    /// <inheritdoc />
    protected override JsonNode ToJson(TValue value) => choices.First(choice => choice.Value.Equals(value)).Key;

    /// <inheritdoc />
    protected override JsonObject DescribeType() => new()
    {
        ["enum"] = new JsonArray([.. choices.Keys.Select(word => (JsonNode)word)]),
    };
}

/// <summary>A text in a given form.</summary>
/// <param name="form">The form as shown in messages: <c>'cpu' or 'cuda:N'</c>.</param>
internal sealed class TextSetting<TOwner>(
    string path,
    string help,
    string form,
    Predicate<string> isValid,
    Func<TOwner, string> get,
    Func<TOwner, string, TOwner> with) : ValueSetting<TOwner, string>(path, help, get, with) where TOwner : new()
{
    /// <inheritdoc />
    public override string Range => form.Replace('\'', '`');

    /// <inheritdoc />
    internal override TOwner Read(YamlMap map, TOwner owner)
    {
        if (map.ReadText(Path) is not { } text) return owner;
        if (isValid(text)) return WithValue(owner, text);
        map.AddError(Path, $"'{map.GetPath(Path)}' is '{text}'; it must be {form}");
        return owner;
    }

    /// <inheritdoc />
    protected override JsonNode ToJson(string value) => value;

    /// <inheritdoc />
    protected override JsonObject DescribeType() => new() { ["type"] = "string" };
}
