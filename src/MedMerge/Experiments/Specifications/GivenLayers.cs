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

    /// <summary>The source of every layer.</summary>
    /// <param name="sources">The sources' names.</param>
    /// <returns>For each layer the index of the source that gives it, or <see cref="Learned"/>; null where there is no rule.</returns>
    /// <exception cref="InputException">A rule names a source or a layer that there is not.</exception>
    public static int[]? Resolve(string? text, Architecture architecture, IReadOnlyList<string> sources)
    {
        if (text is null or None) return null;
        var rules = text.Split(',')
            .Select(rule => Rule().Match(rule))
            .Select(rule => (Layer: rule.Groups[1].Value, Source: rule.Groups[2].Value));
        var given = Enumerable.Repeat(Learned, architecture.Layers.Count).ToArray();
        foreach (var (name, sourceName) in rules.OrderBy(rule => rule.Layer.Length))
        {
            var source = sources.Index().FirstOrDefault(source => source.Item == sourceName, (Index: -1, Item: "")).Index;
            if (source < 0)
            {
                var suggestion = SpellingSuggestion.Suggest(sourceName, sources);
                throw new InputException($"'{Setting}': there is no source '{sourceName}'{suggestion}.");
            }
            var layers = architecture.Layers.Index().Where(layer => IsWithin(layer.Item.Name, name)).Select(layer => layer.Index).ToList();
            if (layers.Count == 0)
            {
                var names = architecture.Layers.Select(layer => layer.Name);
                throw new InputException($"'{Setting}': a {architecture.Title} has no layer '{name}'; it has {string.Join(", ", names)}.");
            }
            foreach (var layer in layers) given[layer] = source;
        }
        return given;
    }

    private static bool IsWithin(string layer, string name) => layer == name || layer.StartsWith(name + ".", StringComparison.Ordinal);

    [GeneratedRegex(@"\A\s*([A-Za-z0-9_.]+)\s*=\s*([A-Za-z0-9_.-]+)\s*\z")]
    private static partial Regex Rule();
}
