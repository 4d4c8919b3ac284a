using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Nodes;

namespace MedMerge.Experiments.Specifications;

/// <summary>Base of all kinds of settings: access to the owner, and the default.</summary>
/// <typeparam name="TOwner">The record that holds it; a new instance has the defaults.</typeparam>
internal abstract class ValueSetting<TOwner, TValue>(
    string path,
    string help,
    Func<TOwner, TValue> get,
    Func<TOwner, TValue, TOwner> with) : Setting<TOwner>(path, help) where TOwner : new()
{
    /// <inheritdoc />
    public override string? DefaultText => GetValue(new TOwner()).ToString();

    /// <inheritdoc />
    public override JsonNode GetValue(TOwner owner) => ToJson(get(owner));

    /// <inheritdoc />
    public override JsonObject CreateSchema()
    {
        var schema = DescribeType();
        schema["default"] = GetValue(new TOwner());
        schema["description"] = Help;
        return schema;
    }

    /// <inheritdoc />
    public override TOwner With(TOwner owner, string text, out string? problem)
    {
        problem = null;
        if (TryParse(text, out var value)) return with(owner, value);
        problem = DescribeForm(text);
        return owner;
    }

    /// <summary>Parses a value as written in YAML, and checks its range.</summary>
    protected abstract bool TryParse(string text, [MaybeNullWhen(false)] out TValue value);

    /// <summary>Describes valid values, to end a sentence that begins with "it must be".</summary>
    /// <param name="text">The invalid text.</param>
    protected abstract string DescribeForm(string text);

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
    Func<TOwner, int, TOwner> with) : ValueSetting<TOwner, int>(path, help, get, with) where TOwner : new()
{
    /// <inheritdoc />
    public override string Range => string.Create(CultureInfo.InvariantCulture, $"{min} to {max}");

    /// <inheritdoc />
    protected override bool TryParse(string text, out int value) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= min && value <= max;

    /// <inheritdoc />
    protected override string DescribeForm(string text) => $"a whole number from {min} to {max}";

    /// <inheritdoc />
    protected override JsonNode ToJson(int value) => value;

    /// <inheritdoc />
    protected override JsonObject DescribeType() => new() { ["type"] = "integer", ["minimum"] = min, ["maximum"] = max };
}

/// <summary>A whole number from <paramref name="min"/> to <paramref name="max"/> that may be left out.</summary>
internal sealed class OptionalWholeNumberSetting<TOwner>(
    string path,
    string help,
    int min,
    int max,
    Func<TOwner, int?> get,
    Func<TOwner, int, TOwner> with) : Setting<TOwner>(path, help)
{
    /// <inheritdoc />
    public override string Range => string.Create(CultureInfo.InvariantCulture, $"{min} to {max}");

    /// <inheritdoc />
    public override string? DefaultText => null;

    /// <inheritdoc />
    public override JsonNode? GetValue(TOwner owner) => get(owner);

    /// <inheritdoc />
    public override JsonObject CreateSchema() => new()
    {
        ["type"] = "integer",
        ["minimum"] = min,
        ["maximum"] = max,
        ["description"] = Help,
    };

    /// <inheritdoc />
    public override TOwner With(TOwner owner, string text, out string? problem)
    {
        var isNumber = int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value);
        var isValid = isNumber && value >= min && value <= max;
        problem = isValid ? null : $"a whole number from {min} to {max}";
        return isValid ? with(owner, value) : owner;
    }
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
    protected override bool TryParse(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && value >= min && value <= max;

    /// <inheritdoc />
    protected override string DescribeForm(string text) =>
        string.Create(CultureInfo.InvariantCulture, $"a number from {min} to {max}");

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
    protected override bool TryParse(string text, out TValue value) => choices.TryGetValue(text, out value);

    /// <inheritdoc />
    protected override string DescribeForm(string text) =>
        $"one of {string.Join(", ", choices.Keys)}{SpellingSuggestion.Suggest(text, choices.Keys)}";

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
    protected override bool TryParse(string text, out string value)
    {
        value = text;
        return isValid(text);
    }

    /// <inheritdoc />
    protected override string DescribeForm(string text) => form;

    /// <inheritdoc />
    protected override JsonNode ToJson(string value) => value;

    /// <inheritdoc />
    protected override JsonObject DescribeType() => new() { ["type"] = "string" };
}
