using System.Buffers;
using System.Runtime.InteropServices;

namespace MedMerge.Tensors;

/// <summary>Reads a floating-point tensor of any type as float32, piece by piece. Several threads may call it.</summary>
internal sealed class FloatReader
{
    /// <summary>Values that are read at a time, where any number will do.</summary>
    public const int Piece = 1 << 16;

    private readonly ElementType _type;
    private readonly TensorReader _read;

    /// <exception cref="InputException">Its bytes are missing or damaged.</exception>
    public FloatReader(StoredTensor tensor)
    {
        _type = ElementType.Named(tensor.Type)!;
        _read = tensor.Open();
    }

    /// <summary>Whether a tensor holds a NaN or an infinity.</summary>
    public static bool HasNonFinite(StoredTensor tensor)
    {
        if (!tensor.IsFloat) return false;
        if (tensor.Type == "F64") return !Array.TrueForAll(tensor.ReadDoubles(), double.IsFinite); // float32 has not all that are
        var reader = new FloatReader(tensor);
        var values = new float[Math.Min(Piece, tensor.Count)];
        for (var first = 0L; first < tensor.Count; first += Piece)
        {
            var piece = values.AsSpan(0, (int)Math.Min(Piece, tensor.Count - first));
            reader.Read(first, piece);
            if (!FilterArithmetic.AreFinite(piece)) return true;
        }
        return false;
    }

    /// <summary>All values of a tensor.</summary>
    public static float[] ReadAll(StoredTensor tensor)
    {
        var values = new float[tensor.Count];
        new FloatReader(tensor).Read(0, values);
        return values;
    }

    /// <summary>Reads values from the one with index <paramref name="first"/> on.</summary>
    public void Read(long first, Span<float> values)
    {
        if (_type.Name == "F32")
        {
            _read(first * sizeof(float), MemoryMarshal.AsBytes(values));
            return;
        }
        var bytes = ArrayPool<byte>.Shared.Rent(values.Length * _type.Size);
        var doubles = ArrayPool<double>.Shared.Rent(values.Length);
        try
        {
            var read = bytes.AsSpan(0, values.Length * _type.Size);
            _read(first * _type.Size, read);
            FloatConversion.Widen(_type, read, doubles.AsSpan(0, values.Length), values);
            FilterArithmetic.Round(doubles.AsSpan(0, values.Length), values);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
            ArrayPool<double>.Shared.Return(doubles);
        }
    }
}
