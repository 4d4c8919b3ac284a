using static TorchSharp.torch;

namespace MedMerge.Tensors;

/// <summary>A tensor element's type: torch's, with its name in safetensors files and its size in bytes.</summary>
internal sealed record ElementType(ScalarType Torch, string Name, int Size)
{
    /// <summary>All that weight files may hold.</summary>
    public static IReadOnlyList<ElementType> All { get; } =
    [
        new(ScalarType.Float64, "F64", 8),
        new(ScalarType.Float32, "F32", 4),
        new(ScalarType.Float16, "F16", 2),
        new(ScalarType.BFloat16, "BF16", 2),
        new(ScalarType.Int64, "I64", 8),
        new(ScalarType.Int32, "I32", 4),
        new(ScalarType.Int16, "I16", 2),
        new(ScalarType.Int8, "I8", 1),
        new(ScalarType.Byte, "U8", 1),
        new(ScalarType.Bool, "BOOL", 1),
    ];

    /// <summary>Whether it holds floating-point numbers.</summary>
    public bool IsFloat => Torch is ScalarType.Float64 or ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16;

    /// <summary>The entry of a torch type.</summary>
    public static ElementType Of(ScalarType type) =>
        All.FirstOrDefault(t => t.Torch == type) ?? throw new InputException($"Tensors of type {type} are not supported.");

    /// <summary>The entry of a number's .NET type.</summary>
    public static ElementType Of<T>() where T : unmanaged => Named(typeof(T).Name switch
    {
        nameof(Double) => "F64",
        nameof(Single) => "F32",
        nameof(Int32) => "I32",
        nameof(Int64) => "I64",
        var other => throw new InputException($"Tensors of type {other} are not supported."),
    })!;

    /// <summary>The entry of a safetensors name, or null.</summary>
    public static ElementType? Named(string name) => All.FirstOrDefault(t => t.Name == name);

    /// <summary>
    /// A CPU tensor of this type over a copy of <paramref name="bytes"/> (little-endian, row-major), outside any dispose scope.
    /// </summary>
    public Tensor CreateTensor(ReadOnlySpan<byte> bytes, ReadOnlySpan<long> shape)
    {
        var tensor = empty(shape, dtype: Torch).DetachFromDisposeScope();
        if (bytes.Length > 0) bytes.CopyTo(tensor.bytes);
        return tensor;
    }
}
