namespace MedMerge.Tensors.PyTorch;

/// <summary>
/// What an unpickled checkpoint holds, under the keys that lead to it: the tensor <c>conv1.weight</c> of <c>{"model": {…}}</c> is
/// <c>model.conv1.weight</c>. Only dictionaries under text keys are followed, as training scripts nest state dictionaries.
/// </summary>
/// <param name="Tensors">The tensors, in the file's order.</param>
/// <param name="Unread">Objects of classes that are not known here, and the classes.</param>
internal sealed record CheckpointContent(
    IReadOnlyList<KeyValuePair<string, PickledTensor>> Tensors,
    IReadOnlyDictionary<string, string> Unread)
{
    private const int MaxDepth = 8;
    private const int MaxName = 1000;
    private const int MaxKeysShown = 8;

    /// <summary>Lists what is reachable from the root.</summary>
    /// <exception cref="FormatException">The root is no dictionary, or none has tensors.</exception>
    public static CheckpointContent Of(object? root)
    {
        if (root is PickledUnknown unknown)
            throw new FormatException($"it is an object of the class '{unknown.Name}', not a dictionary of tensors; {Remedy}");
        if (root is not PickledDictionary dictionary) throw new FormatException("it does not hold a dictionary of tensors");
        var tensors = new OrderedDictionary<string, PickledTensor>(StringComparer.Ordinal);
        var unread = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        // A dictionary that is there twice, or holds itself, is followed once.
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        Visit(dictionary, "", 0);
        if (tensors.Count == 0) throw new FormatException(DescribeLack(dictionary, unread));
        return new CheckpointContent(tensors, unread);

        void Visit(PickledDictionary at, string prefix, int depth)
        {
            if (depth > MaxDepth || !seen.Add(at)) return;
            foreach (var (key, value) in at.Entries)
            {
                if (prefix.Length + key.Length > MaxName) continue;
                var name = prefix + key;
                if (value is PickledDictionary inner) Visit(inner, $"{name}.", depth + 1);
                if (value is PickledUnknown other) unread.TryAdd(name, other.Name);
                if (value is PickledTensor tensor && !tensors.TryAdd(name, tensor))
                    throw new FormatException($"two of its tensors are called '{name}'");
            }
        }
    }

    private const string Remedy = "save its parameters alone: torch.save(model.state_dict(), 'new.pt')";

    private static string DescribeLack(PickledDictionary root, IReadOnlyDictionary<string, string> unread)
    {
        var keys = string.Join(", ", root.Entries.Take(MaxKeysShown).Select(entry => entry.Key));
        var lack = $"it holds no dictionary of tensors (its keys: {keys})";
        if (unread.Count == 0) return lack;
        var (name, type) = unread.First();
        return $"{lack}; '{name}' is an object of '{type}', which is not read: {Remedy}";
    }
}
