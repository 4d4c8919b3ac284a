using System.Globalization;
using System.Text.Json.Nodes;

namespace MedMerge.Experiments.Specifications;

/// <summary>What settings of every kind have in common: how their owner holds them, and the default.</summary>
/// <typeparam name="TOwner">The record that holds it; a new one has the defaults.</typeparam>
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

    /// <summary>The owner with a value.</summary>
    protected TOwner With(TOwner owner, TValue value) => with(owner, value);

    /// <summary>The value as results and the schema's default name it.</summary>
    protected abstract JsonNode ToJson(TValue value);

    /// <summary>Type and range for the schema.</summary>
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
    internal override TOwner Read(YamlMap map, TOwner owner) => map.Whole(Path, min, max) is { } value ? With(owner, value) : owner;

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
    internal override TOwner Read(YamlMap map, TOwner owner) => map.Number(Path, min, max) is { } value ? With(owner, value) : owner;

    /// <inheritdoc />
    protected override JsonNode ToJson(double value) => value;

    /// <inheritdoc />
    protected override JsonObject DescribeType() => new() { ["type"] = "number", ["minimum"] = min, ["maximum"] = max };
}

/// <summary>One of a few words.</summary>
/// <param name="choices">The values by their words.</param>
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
    internal override TOwner Read(YamlMap map, TOwner owner) => map.Choice(Path, choices) is { } value ? With(owner, value) : owner;

    /// <inheritdoc />
    protected override JsonNode ToJson(TValue value) => choices.First(choice => choice.Value.Equals(value)).Key;

    /// <inheritdoc />
    protected override JsonObject DescribeType() => new() { ["enum"] = new JsonArray([.. choices.Keys.Select(word => (JsonNode)word)]) };
}

/// <summary>A text of a form.</summary>
/// <param name="form">The form in words: <c>'cpu' or 'cuda:N'</c>.</param>
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
        if (map.Text(Path) is not { } text) return owner;
        if (isValid(text)) return With(owner, text);
        map.AddError(Path, $"'{map.Name(Path)}' is '{text}'; it must be {form}");
        return owner;
    }

    /// <inheritdoc />
    protected override JsonNode ToJson(string value) => value;

    /// <inheritdoc />
    protected override JsonObject DescribeType() => new() { ["type"] = "string" };
}
