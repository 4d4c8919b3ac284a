using static TorchSharp.torch;

namespace MedMerge.Tensors.PyTorch;

/// <summary>A tensor as a view into a storage; offset and strides in elements.</summary>
internal sealed record PickledTensor(PickledStorage Storage, long Offset, long[] Shape, long[] Strides)
{
    /// <summary>Copies the tensor's values, and no more of the storage than lies between its first and its last element.</summary>
    /// <param name="name">What messages call the tensor.</param>
    /// <exception cref="FormatException">The view is not within the storage.</exception>
    public Tensor Read(string name, ElementType type, ReadOnlySpan<byte> storage)
    {
        if (Shape.Length != Strides.Length || Shape.Any(size => size < 0) || Strides.Any(stride => stride < 0) || Offset < 0)
            throw new FormatException($"tensor '{name}' has an impossible shape");
        if (Shape.Contains(0)) return type.CreateTensor([], Shape);

        var available = storage.Length / type.Size;
        var span = checked(Shape.Zip(Strides, (size, stride) => checked((size - 1) * stride)).Sum() + 1);
        if (checked(Offset + span) > available)
        {
            throw new FormatException(
                $"tensor '{name}' of shape [{string.Join(", ", Shape)}] reaches beyond its storage of {available} elements");
        }
        if (Shape.Aggregate(1L, (product, size) => checked(product * size)) > available)
            throw new FormatException($"tensor '{name}' claims more elements than its storage has");

        var bytes = storage.Slice((int)Offset * type.Size, (int)span * type.Size);
        using var scope = NewDisposeScope();
        using var elements = type.CreateTensor(bytes, [span]);
        return elements.as_strided(Shape, Strides).contiguous().DetachFromDisposeScope();
    }
}
