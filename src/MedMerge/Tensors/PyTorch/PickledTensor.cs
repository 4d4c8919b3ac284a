namespace MedMerge.Tensors.PyTorch;

/// <summary>A tensor as a view into a storage; offset and strides in elements.</summary>
internal sealed record PickledTensor(PickledStorage Storage, long Offset, long[] Shape, long[] Strides)
{
    private bool IsRowMajor
    {
        get
        {
            var expected = 1L;
            for (var d = Shape.Length - 1; d >= 0; d--)
            {
                if (Shape[d] != 1 && Strides[d] != expected) return false;
                expected *= Shape[d];
            }
            return true;
        }
    }

    /// <summary>The tensor's bytes, row-major: part of the storage where it has that order, else a copy.</summary>
    /// <param name="name">What messages call the tensor.</param>
    /// <exception cref="FormatException">The view is not within the storage.</exception>
    public ReadOnlyMemory<byte> Read(string name, ElementType type, ReadOnlyMemory<byte> storage)
    {
        if (Shape.Length != Strides.Length || Shape.Any(size => size < 0) || Strides.Any(stride => stride < 0) || Offset < 0)
            throw new FormatException($"tensor '{name}' has an impossible shape");
        if (Shape.Contains(0)) return default;

        var available = storage.Length / type.Size;
        var span = checked(Shape.Zip(Strides, (size, stride) => checked((size - 1) * stride)).Sum() + 1);
        if (checked(Offset + span) > available)
        {
            throw new FormatException(
                $"tensor '{name}' of shape [{string.Join(", ", Shape)}] reaches beyond its storage of {available} elements");
        }
        var count = Shape.Aggregate(1L, (product, size) => checked(product * size));
        if (count > available) throw new FormatException($"tensor '{name}' claims more elements than its storage has");

        var view = storage.Slice((int)Offset * type.Size, (int)span * type.Size);
        return IsRowMajor ? view : Gather(view.Span, (int)count, type.Size);
    }

    private byte[] Gather(ReadOnlySpan<byte> view, int count, int size)
    {
        var bytes = new byte[count * size];
        var index = new long[Shape.Length];
        var at = 0L;
        for (var i = 0; i < count; i++)
        {
            view.Slice((int)at * size, size).CopyTo(bytes.AsSpan(i * size));
            for (var d = Shape.Length - 1; d >= 0; d--)
            {
                at += Strides[d];
                if (++index[d] < Shape[d]) break;
                at -= Strides[d] * Shape[d];
                index[d] = 0;
            }
        }
        return bytes;
    }
}
