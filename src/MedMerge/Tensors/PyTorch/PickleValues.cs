namespace MedMerge.Tensors.PyTorch;

/// <summary>A name the pickle refers to (<c>module name</c>), one of <see cref="RestrictedUnpickler.Allowed"/>.</summary>
internal sealed record PickledGlobal(string Name);

/// <summary>
/// A class or function that is not known here, or whatever the pickle makes of it. It is never called or looked into; what depends on it
/// can't be read.
/// </summary>
/// <param name="Name">The class or function: <c>argparse.Namespace</c>.</param>
internal sealed record PickledUnknown(string Name);

/// <summary>A storage as its persistent id names it.</summary>
/// <param name="Key">Its key in the file.</param>
/// <param name="Type">Its element type; null for one that is not read.</param>
/// <param name="TypeName">The pickle's name of the type.</param>
/// <param name="Elements">How many elements it has.</param>
internal sealed record PickledStorage(string Key, ElementType? Type, string TypeName, long Elements);

/// <summary>
/// A Python dictionary, in insertion order. Only entries under text keys are kept: no state dictionary has others, and an optimiser's state
/// has them by the thousand.
/// </summary>
internal sealed class PickledDictionary
{
    private readonly OrderedDictionary<string, object?> _entries = new(StringComparer.Ordinal);

    /// <summary>The entries under text keys.</summary>
    public IReadOnlyList<KeyValuePair<string, object?>> Entries => _entries;

    /// <summary>Sets an entry.</summary>
    public void Set(object? key, object? value)
    {
        if (key is string text) _entries[text] = value;
    }
}
