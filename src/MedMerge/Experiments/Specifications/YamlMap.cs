using System.Globalization;
using YamlDotNet.RepresentationModel;

namespace MedMerge.Experiments.Specifications;

/// <summary>
/// A YAML mapping read key by key. It collects every error with its line instead of stopping at the first, and knows which keys were
/// asked for, so that any other is an unknown one.
/// </summary>
internal sealed class YamlMap(YamlMappingNode node, string path, SpecificationErrors errors)
{
    private readonly List<string> _known = [];

    /// <summary>The line the mapping starts on.</summary>
    public int Line => (int)node.Start.Line;

    /// <summary>A scalar's text, or null where the key is absent.</summary>
    public string? Text(string key, bool required = false)
    {
        if (Find(key) is not { } value)
        {
            if (required) errors.Add(Line, $"{Where()}the key '{key}' is missing");
            return null;
        }
        if (value is YamlScalarNode { Value: { Length: > 0 } text }) return text;
        errors.Add((int)value.Start.Line, $"'{Name(key)}' must be a text");
        return null;
    }

    /// <summary>A whole number within bounds, or null.</summary>
    public int? Whole(string key, int min, int max)
    {
        if (Text(key) is not { } text) return null;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max) return value;
        errors.Add(LineOf(key), max == int.MaxValue
            ? $"'{Name(key)}' is '{text}'; it must be a whole number of at least {min}"
            : $"'{Name(key)}' is '{text}'; it must be a whole number from {min} to {max}");
        return null;
    }

    /// <summary>A number within bounds, or null.</summary>
    public double? Number(string key, double min, double max)
    {
        if (Text(key) is not { } text) return null;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max) return value;
        errors.Add(LineOf(key), string.Create(CultureInfo.InvariantCulture, $"'{Name(key)}' is '{text}'; it must be a number from {min} to {max}"));
        return null;
    }

    /// <summary>One of a set of words, or null.</summary>
    public T? Choice<T>(string key, IReadOnlyDictionary<string, T> choices) where T : struct
    {
        if (Text(key) is not { } text) return null;
        if (choices.TryGetValue(text, out var value)) return value;
        errors.Add(LineOf(key), $"'{Name(key)}' is '{text}'; it must be one of {string.Join(", ", choices.Keys)}{SpellingSuggestion.Suggest(text, choices.Keys)}");
        return null;
    }

    /// <summary>A nested mapping, or null.</summary>
    public YamlMap? Map(string key, bool required = false)
    {
        var value = Find(key);
        if (value is YamlMappingNode mapping) return new YamlMap(mapping, Name(key), errors);
        if (value is not null) errors.Add((int)value.Start.Line, $"'{Name(key)}' must be a mapping (key: value, indented)");
        else if (required) errors.Add(Line, $"{Where()}the key '{key}' is missing");
        return null;
    }

    /// <summary>A list of mappings; empty where the key is absent.</summary>
    /// <param name="entries">The list's length, mappings or not; null where there is no list.</param>
    public List<YamlMap> Maps(string key, out int? entries)
    {
        var value = Find(key);
        entries = (value as YamlSequenceNode)?.Children.Count;
        if (value is null) errors.Add(Line, $"{Where()}the key '{key}' is missing");
        else if (value is not YamlSequenceNode) errors.Add((int)value.Start.Line, $"'{Name(key)}' must be a list (each entry after a '-')");
        var maps = new List<YamlMap>();
        if (value is not YamlSequenceNode list) return maps;
        foreach (var (item, i) in list.Children.Select((item, i) => (item, i)))
        {
            if (item is YamlMappingNode mapping) maps.Add(new YamlMap(mapping, $"{Name(key)}[{i}]", errors));
            else errors.Add((int)item.Start.Line, $"'{Name(key)}[{i}]' must be a mapping (key: value)");
        }
        return maps;
    }

    /// <summary>A scalar or a list of scalars with their lines, or null where the key is absent.</summary>
    public IReadOnlyList<(string Text, int Line)>? TextOrList(string key, out bool isList)
    {
        var value = Find(key);
        isList = value is YamlSequenceNode;
        return value switch
        {
            null => null,
            YamlScalarNode scalar => [(scalar.Value ?? "", (int)scalar.Start.Line)],
            YamlSequenceNode list => [.. list.Children.Select(item => ((item as YamlScalarNode)?.Value ?? "", (int)item.Start.Line))],
            _ => [("", (int)value.Start.Line)],
        };
    }

    /// <summary>Notes an error on the line of a key.</summary>
    public void AddError(string key, string message) => errors.Add(LineOf(key), message);

    /// <summary>Refuses a key that was renamed.</summary>
    public void RefuseRenamed(string key, string newName)
    {
        if (Find(key) is not null) AddError(key, $"{Where()}'{key}' is now called '{newName}': rename the key");
    }

    /// <summary>Reports every key that was not asked for, with the nearest known one.</summary>
    public void RefuseOthers()
    {
        foreach (var key in node.Children.Keys.OfType<YamlScalarNode>().Where(key => !_known.Contains(key.Value ?? "")))
            errors.Add((int)key.Start.Line, $"{Where()}there is no key '{key.Value}'{SpellingSuggestion.Suggest(key.Value ?? "", _known)}");
    }

    /// <summary>The line of a key, for errors found later.</summary>
    public int LineOf(string key) => node.Children.Keys.OfType<YamlScalarNode>().FirstOrDefault(k => k.Value == key) is { } found ? (int)found.Start.Line : Line;

    /// <summary>The key's whole path.</summary>
    public string Name(string key) => path.Length == 0 ? key : $"{path}.{key}";

    private string Where() => path.Length == 0 ? "" : $"in '{path}' ";

    private YamlNode? Find(string key)
    {
        _known.Add(key);
        return node.Children.TryGetValue(new YamlScalarNode(key), out var value) && value is not YamlScalarNode { Value: null or "" or "~" or "null" } ? value : null;
    }
}
