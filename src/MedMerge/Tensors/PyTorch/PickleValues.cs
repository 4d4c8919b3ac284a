using static TorchSharp.torch;

namespace MedMerge.Tensors.PyTorch;

/// <summary>A name the pickle refers to (<c>module name</c>), one of <see cref="RestrictedUnpickler.Allowed"/>.</summary>
internal sealed record PickledGlobal(string Name);

/// <summary>A storage as its persistent id names it: its key in the file, its element type and how many elements it has.</summary>
internal sealed record PickledStorage(string Key, ScalarType Type, long Elements);

/// <summary>A tensor as a view into a storage; offset and strides in elements.</summary>
internal sealed record PickledTensor(PickledStorage Storage, long Offset, long[] Shape, long[] Strides);

/// <summary>A Python dictionary, in insertion order; keys are whatever was pickled.</summary>
internal sealed class PickledDictionary
{
    public List<KeyValuePair<object, object?>> Entries { get; } = [];

    public void Set(object? key, object? value)
    {
        if (key is null) throw new FormatException("a dictionary has None as a key");
        var at = Entries.FindIndex(entry => entry.Key.Equals(key));
        if (at >= 0) Entries[at] = new(key, value);
        else Entries.Add(new(key, value));
    }
}
