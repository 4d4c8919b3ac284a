using System.Globalization;
using YamlDotNet.RepresentationModel;

namespace MedMerge.Experiments.Specifications;

/// <summary>
/// A YAML mapping that is read key by key. It collects every error with its line instead of stopping at the first, and
/// remembers which keys were read, so that all others are reported as unknown.
/// </summary>
internal sealed class YamlMap(YamlMappingNode node, string path, SpecificationErrors errors)
{
    private readonly List<string> _known = [];

    /// <summary>The line that the mapping starts on.</summary>
    public int Line => GetLine(node);

    private string Prefix => path.Length == 0 ? "" : $"in '{path}' ";

    /// <summary>Reads a scalar's text; null if the key is absent.</summary>
    public string? ReadText(string key, bool required = false)
    {
        if (FindValue(key) is not { } value)
        {
            if (required) AddMissingKey(key);
            return null;
        }
        if (value is YamlScalarNode { Value: { Length: > 0 } text }) return text;
        errors.Add(GetLine(value), $"'{GetPath(key)}' must be a text");
        return null;
    }

    /// <summary>Reads a whole number within bounds; null if it is absent or invalid.</summary>
    public int? ReadWhole(string key, int min, int max)
    {
        if (ReadText(key) is not { } text) return null;
        var isWhole = int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value);
        if (isWhole && value >= min && value <= max) return value;
        var range = max == int.MaxValue ? $"of at least {min}" : $"from {min} to {max}";
        AddError(key, $"'{GetPath(key)}' is '{text}'; it must be a whole number {range}");
        return null;
    }

    /// <summary>Reads a number within bounds; null if it is absent or invalid.</summary>
    public double? ReadNumber(string key, double min, double max)
    {
        if (ReadText(key) is not { } text) return null;
        var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value);
        if (isNumber && value >= min && value <= max) return value;
        AddError(key, string.Create(
            CultureInfo.InvariantCulture,
            $"'{GetPath(key)}' is '{text}'; it must be a number from {min} to {max}"));
        return null;
    }

    /// <summary>Finds a nested mapping; null if it is absent or not a mapping.</summary>
    public YamlMap? FindMap(string key, bool required = false)
    {
        var value = FindValue(key);
        if (value is YamlMappingNode mapping) return new YamlMap(mapping, GetPath(key), errors);
        if (value is not null)
        {
            errors.Add(GetLine(value), $"'{GetPath(key)}' must be a mapping (key: value, indented)");
        }
        else if (required)
        {
            AddMissingKey(key);
        }
        return null;
    }

    /// <summary>Reads a list of mappings; empty if the key is absent, which is an error.</summary>
    /// <param name="count">The list's length, including entries that are not mappings; null if there is no list.</param>
    public List<YamlMap> ReadMaps(string key, out int? count)
    {
        count = null;
        var value = FindValue(key);
        if (value is null)
        {
            AddMissingKey(key);
            return [];
        }
        if (value is not YamlSequenceNode list)
        {
            errors.Add(GetLine(value), $"'{GetPath(key)}' must be a list (each entry after a '-')");
            return [];
        }
        count = list.Children.Count;
        var maps = new List<YamlMap>();
        foreach (var (i, item) in list.Children.Index())
        {
            var itemPath = $"{GetPath(key)}[{i}]";
            if (item is YamlMappingNode mapping)
            {
                maps.Add(new YamlMap(mapping, itemPath, errors));
            }
            else
            {
                errors.Add(GetLine(item), $"'{itemPath}' must be a mapping (key: value)");
            }
        }
        return maps;
    }

    /// <summary>Reads a scalar or a list of scalars with their lines; null if the key is absent.</summary>
    public IReadOnlyList<(string Text, int Line)>? ReadTextOrList(string key, out bool isList)
    {
        var value = FindValue(key);
        isList = value is YamlSequenceNode;
        return value switch
        {
            null => null,
            YamlSequenceNode list => [.. list.Children.Select(item => (GetText(item), GetLine(item)))],
            _ => [(GetText(value), GetLine(value))],
        };
    }

    /// <summary>Reads a list of lists of texts, each with its line; null if the key is absent or no such list.</summary>
    public IReadOnlyList<(IReadOnlyList<string> Texts, int Line)>? ReadLists(string key)
    {
        if (FindValue(key) is not YamlSequenceNode lists || lists.Children.Any(item => item is not YamlSequenceNode)) return null;
        return [.. lists.Children.Cast<YamlSequenceNode>().Select(list =>
            ((IReadOnlyList<string>)[.. list.Children.Select(GetText)], GetLine(list)))];
    }

    /// <summary>Whether a key holds a mapping.</summary>
    public bool IsMap(string key) => FindValue(key) is YamlMappingNode;

    /// <summary>Whether a key is there.</summary>
    public bool Has(string key) => FindValue(key) is not null;

    /// <summary>Its keys, in the order of the text.</summary>
    public IEnumerable<string> Keys => node.Children.Keys.OfType<YamlScalarNode>().Select(key => key.Value ?? "");

    /// <summary>Records an error on the line of a key.</summary>
    public void AddError(string key, string message) => errors.Add(GetKeyLine(key), message);

    /// <summary>Records an error on the line of a key within nested mappings: <c>fineTune.shards</c>.</summary>
    public void AddErrorAt(string path, string message)
    {
        var parts = path.Split('.', 2);
        if (parts.Length == 2 && node.Children.TryGetValue(new YamlScalarNode(parts[0]), out var inner) && inner is YamlMappingNode mapping)
        {
            new YamlMap(mapping, GetPath(parts[0]), errors).AddErrorAt(parts[1], message);
        }
        else
        {
            AddError(parts[0], message);
        }
    }

    /// <summary>Refuses a key that was renamed.</summary>
    public void RefuseRenamedKey(string key, string newName)
    {
        if (FindValue(key) is not null) AddError(key, $"{Prefix}'{key}' is now called '{newName}': rename the key");
    }

    /// <summary>Records an error for every key that was not read, suggesting the nearest known one.</summary>
    public void RefuseUnknownKeys()
    {
        foreach (var key in node.Children.Keys.OfType<YamlScalarNode>())
        {
            var name = key.Value ?? "";
            if (_known.Contains(name)) continue;
            errors.Add(GetLine(key), $"{Prefix}there is no key '{key.Value}'{SpellingSuggestion.Suggest(name, _known)}");
        }
    }

    /// <summary>A key's path from the root of the document.</summary>
    public string GetPath(string key) => path.Length == 0 ? key : $"{path}.{key}";

    private void AddMissingKey(string key) => errors.Add(Line, $"{Prefix}the key '{key}' is missing");

    private static int GetLine(YamlNode node) => (int)node.Start.Line;

    private static string GetText(YamlNode node) => (node as YamlScalarNode)?.Value ?? "";

    /// <summary>The line of a key; the mapping's where the key is absent.</summary>
    public int GetKeyLine(string key)
    {
        var found = node.Children.Keys.OfType<YamlScalarNode>().FirstOrDefault(scalar => scalar.Value == key);
        return found is null ? Line : GetLine(found);
    }

    private YamlNode? FindValue(string key)
    {
        _known.Add(key);
        if (!node.Children.TryGetValue(new YamlScalarNode(key), out var value)) return null;
        var isNull = value is YamlScalarNode { Value: null or "" or "~" or "null" };
        return isNull ? null : value;
    }
}
