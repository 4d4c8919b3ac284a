using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace MedMerge.Grains;

/// <summary>
/// float64 or float32 numbers on their way between nodes: one byte array, which Orleans hands on without a copy, and its checksum. As arrays of numbers they
/// would take more than ten times as long.
/// </summary>
/// <param name="Bytes">Little-endian.</param>
/// <param name="Checksum">XXH3 of the bytes.</param>
[GenerateSerializer, Immutable]
public sealed record PackedNumbers([property: Id(0), Immutable] byte[] Bytes, [property: Id(1)] ulong Checksum)
{
    /// <summary>Packs float32 numbers.</summary>
    public static PackedNumbers Of(ReadOnlySpan<float> numbers)
    {
        var bytes = MemoryMarshal.AsBytes(numbers).ToArray();
        return new PackedNumbers(bytes, XxHash3.HashToUInt64(bytes));
    }

    /// <summary>Unpacks float32 numbers.</summary>
    /// <exception cref="InvalidDataException">The bytes are not those that were sent, or of another length.</exception>
    public void CopyTo(Span<float> numbers)
    {
        Check();
        if (Bytes.Length != numbers.Length * sizeof(float)) throw new InvalidDataException($"{Bytes.Length} bytes arrived; {numbers.Length} numbers take {numbers.Length * sizeof(float)}.");
        Bytes.CopyTo(MemoryMarshal.AsBytes(numbers));
    }

    /// <summary>Packs float64 parts one after the other.</summary>
    public static PackedNumbers Of(params ReadOnlySpan<double[]> parts)
    {
        var length = 0;
        foreach (var part in parts) length += part.Length;
        var bytes = new byte[length * sizeof(double)];
        var at = bytes.AsSpan();
        foreach (var part in parts)
        {
            MemoryMarshal.AsBytes(part.AsSpan()).CopyTo(at);
            at = at[(part.Length * sizeof(double))..];
        }
        return new PackedNumbers(bytes, XxHash3.HashToUInt64(bytes));
    }

    /// <summary>Unpacks float64 parts of these lengths.</summary>
    /// <exception cref="InvalidDataException">The bytes are not those that were sent, or of another length.</exception>
    public double[][] Split(params ReadOnlySpan<int> lengths)
    {
        Check();
        var all = MemoryMarshal.Cast<byte, double>(Bytes);
        var parts = new double[lengths.Length][];
        var at = 0;
        for (var i = 0; i < lengths.Length; i++)
        {
            if (at + lengths[i] > all.Length) throw new InvalidDataException($"{all.Length} numbers arrived; wanted are at least {at + lengths[i]}.");
            parts[i] = all.Slice(at, lengths[i]).ToArray();
            at += lengths[i];
        }
        return at * sizeof(double) == Bytes.Length ? parts : throw new InvalidDataException($"{Bytes.Length} bytes arrived; {at} numbers take {at * sizeof(double)}.");
    }

    private void Check()
    {
        if (XxHash3.HashToUInt64(Bytes) != Checksum) throw new InvalidDataException("PackedNumbers arrived damaged: their checksum differs.");
    }
}
