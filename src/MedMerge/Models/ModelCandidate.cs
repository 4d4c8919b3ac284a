using MedMerge.Tensors;

namespace MedMerge.Models;

/// <summary>A place in a weight file where a model of an architecture may be: its tensors' names under one prefix.</summary>
internal sealed class ModelCandidate
{
    private readonly Architecture _architecture;
    private readonly ModelFile _file;
    private readonly Lazy<string?> _mismatch;

    /// <param name="prefix">What stands before every name, with the '.' at its end; empty where nothing does.</param>
    public ModelCandidate(Architecture architecture, ModelFile file, string prefix)
    {
        _architecture = architecture;
        _file = file;
        Prefix = prefix;
        _mismatch = new Lazy<string?>(FindMismatch);
    }

    /// <summary>What stands before every name, with the '.' at its end; empty where nothing does.</summary>
    public string Prefix { get; }

    /// <summary>The first layer in which names or shapes differ from the architecture's; null where they fit.</summary>
    public string? Mismatch => _mismatch.Value;

    /// <summary>Finds a tensor by the architecture's name for it; null if there is none.</summary>
    public StoredTensor? Find(string name) => FindName(name) is { } found ? _file.Find(found) : null;

    /// <summary>How many of the layers' first tensors are there.</summary>
    public int CountLayers() => _architecture.Layers.Count(layer => FindName(layer.Tensors[0].Name) is not null);

    /// <summary>
    /// All candidates in a file: the prefixes under which the first layer is found. The one that most layers are found under comes first.
    /// </summary>
    public static IReadOnlyList<ModelCandidate> All(Architecture architecture, ModelFile file)
    {
        var stem = architecture.Layers[0].Tensors[0].Name;
        return
        [
            .. file.Tensors
                .Select(tensor => tensor.Name)
                .Where(name => name == stem || name.EndsWith("." + stem, StringComparison.Ordinal))
                .Select(name => new ModelCandidate(architecture, file, name[..^stem.Length]))
                .OrderByDescending(candidate => candidate.CountLayers())
                .ThenBy(candidate => candidate.Prefix.Length)
                .ThenBy(candidate => candidate.Prefix, StringComparer.Ordinal),
        ];
    }

    private string? FindName(string name)
    {
        if (_file.Contains(Prefix + name)) return Prefix + name;
        return _architecture.KeyAliases
            .Select(alias => Prefix + name.Replace(alias.Ours, alias.Theirs, StringComparison.Ordinal))
            .FirstOrDefault(_file.Contains);
    }

    private string? FindMismatch()
    {
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var layer in _architecture.Layers)
        {
            foreach (var (name, shape) in layer.Tensors)
            {
                if (Find(name) is not { } found) return DescribeLack(name, shape);
                if (!found.Shape.SequenceEqual(shape)) return $"'{name}' has shape {Show(found.Shape)}, wanted {Show(shape)}";
                used.Add(found.Name);
            }
            if (layer.Norm is { } norm && FindName(norm.BatchesTracked) is { } counter) used.Add(counter);
        }
        var other = _file.NamesUnder(Prefix)
            .Where(name => !used.Contains(name))
            .FirstOrDefault(name => _architecture.IsBackbone(name[Prefix.Length..]));
        return other is null ? null : $"it also has '{other}' of shape {Show(_file.Find(other)!.Shape)}";
    }

    private string DescribeLack(string name, IReadOnlyList<long> shape)
    {
        var lack = $"it has no '{name}' (wanted shape {Show(shape)})";
        return _file.Unread.TryGetValue(Prefix + name, out var type)
            ? $"'{name}' is an object of '{type}', which is not read; save it as a plain tensor"
            : lack;
    }

    private static string Show(IReadOnlyList<long> shape) => $"[{string.Join(", ", shape)}]";
}
