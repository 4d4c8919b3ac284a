using System.Text.RegularExpressions;
using MedMerge.Models;

namespace MedMerge.Experiments.Specifications;

/// <summary>
/// Layers that one source gives alone, as a text: <c>conv1=imagenet, layer4.1=chest</c>. A name stands for all layers that begin with it;
/// where two fit, the longer counts.
/// </summary>
internal static partial class GivenLayers
{
    /// <summary>The setting's path.</summary>
    public const string Setting = "layersFrom";

    /// <summary>No layer.</summary>
    public const string None = "none";

    /// <summary>The form, for messages.</summary>
    public const string Form = "'none', or 'LAYER=SOURCE' with commas between several";

    /// <summary>A layer that no rule names.</summary>
    public const int Learned = -1;

    /// <summary>Whether a text has the form; what it names need not exist.</summary>
    public static bool IsValid(string text) => text == None || text.Split(',').All(rule => Rule().IsMatch(rule));

    /// <summary>What is wrong with what a text names; null where nothing is.</summary>
    /// <param name="sources">The sources' names.</param>
    public static string? FindProblem(string? text, Architecture architecture, IReadOnlyList<string> sources)
    {
        foreach (var (name, source) in Parse(text))
        {
            if (!sources.Contains(source))
                return $"'{Setting}': there is no source '{source}'{SpellingSuggestion.Suggest(source, sources)}";
            if (architecture.Layers.Any(layer => IsWithin(layer.Name, name))) continue;
            var names = architecture.Layers.Select(layer => layer.Name);
            return $"'{Setting}': a {architecture.Title} has no layer '{name}'; it has {string.Join(", ", names)}";
        }
        return null;
    }

    /// <summary>The source of every layer.</summary>
    /// <param name="sources">The sources' names.</param>
    /// <returns>For each layer the index of the source that gives it, or <see cref="Learned"/>; null where there is no rule.</returns>
    /// <exception cref="InputException">A rule names a source or a layer that there is not.</exception>
    public static int[]? Resolve(string? text, Architecture architecture, IReadOnlyList<string> sources)
    {
        if (text is null or None) return null;
        if (FindProblem(text, architecture, sources) is { } problem) throw new InputException($"{problem}.");
        var given = Enumerable.Repeat(Learned, architecture.Layers.Count).ToArray();
        foreach (var (name, sourceName) in Parse(text).OrderBy(rule => rule.Layer.Length))
        {
            var source = sources.Index().First(source => source.Item == sourceName).Index;
            foreach (var (layer, _) in architecture.Layers.Index().Where(layer => IsWithin(layer.Item.Name, name))) given[layer] = source;
        }
        return given;
    }

    private static IEnumerable<(string Layer, string Source)> Parse(string? text) => text is null or None
        ? []
        : text.Split(',').Select(rule => Rule().Match(rule)).Select(rule => (rule.Groups[1].Value, rule.Groups[2].Value));

    private static bool IsWithin(string layer, string name) => layer == name || layer.StartsWith(name + ".", StringComparison.Ordinal);

    [GeneratedRegex(@"\A\s*([A-Za-z0-9_.]+)\s*=\s*([A-Za-z0-9_.-]+)\s*\z")]
    private static partial Regex Rule();
}
