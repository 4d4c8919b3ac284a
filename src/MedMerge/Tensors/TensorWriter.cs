using System.Runtime.InteropServices;

namespace MedMerge.Tensors;

/// <summary>Makes a small safetensors file, without libtorch.</summary>
internal sealed class TensorWriter
{
    private readonly List<(string Name, ElementType Type, IReadOnlyList<long> Shape)> _tensors = [];
    private readonly MemoryStream _data = new();

    /// <summary>Adds a tensor.</summary>
    /// <param name="values">Row-major.</param>
    public void Add<T>(string name, IReadOnlyList<long> shape, ReadOnlySpan<T> values) where T : unmanaged
    {
        _tensors.Add((name, ElementType.Of<T>(), shape));
        _data.Write(MemoryMarshal.AsBytes(values));
    }

    /// <summary>The file's bytes.</summary>
    public byte[] Write(IReadOnlyDictionary<string, string> metadata) =>
        [.. SafetensorsHeader.Write(_tensors, metadata), .. _data.ToArray()];
}
