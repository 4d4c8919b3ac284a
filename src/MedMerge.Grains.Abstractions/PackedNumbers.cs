using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace MedMerge.Grains;

/// <summary>
/// A part of an array of numbers on its way between nodes: one byte array, which Orleans passes on without a copy, and
/// its checksum. As an array of numbers it would take more than ten times as long.
/// </summary>
/// <param name="Offset">Of the part's first byte in the whole array.</param>
/// <param name="Total">Bytes of the whole array.</param>
/// <param name="Bytes">Little-endian.</param>
/// <param name="Checksum">XXH3 of the bytes.</param>
[GenerateSerializer, Immutable]
public sealed record PackedNumbers(
    [property: Id(0)] int Offset,
    [property: Id(1)] int Total,
    [property: Id(2), Immutable] byte[] Bytes,
    [property: Id(3)] ulong Checksum)
{
    /// <summary>
    /// The most bytes in a part: 1 MiB, far from the 100 MB at which a connection is closed, and short enough for other
    /// messages to pass between.
    /// </summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>Offsets of the parts of an array of so many bytes; an empty array has one.</summary>
    public static IEnumerable<int> Offsets(int total)
    {
        var offset = 0;
        do
        {
            yield return offset;
            offset += MaxBytes;
        }
        while (offset < total);
    }

    /// <summary>Packs the part that begins at an offset.</summary>
    public static PackedNumbers Pack<T>(T[] numbers, int offset)
        where T : unmanaged
    {
        var all = MemoryMarshal.AsBytes(numbers.AsSpan());
        var bytes = all[offset..Math.Min(all.Length, offset + MaxBytes)].ToArray();
        return new PackedNumbers(offset, all.Length, bytes, XxHash3.HashToUInt64(bytes));
    }

    /// <summary>Copies the part to its place in the whole array.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged, or the part is not one of an array of this
    /// length.</exception>
    public void Unpack<T>(T[] numbers)
        where T : unmanaged
    {
        if (XxHash3.HashToUInt64(Bytes) != Checksum) throw new InvalidDataException("Numbers arrived damaged: their checksum differs.");
        var all = MemoryMarshal.AsBytes(numbers.AsSpan());
        if (Total != all.Length || Offset < 0 || Offset > Total || Bytes.Length != Math.Min(MaxBytes, Total - Offset))
            throw new InvalidDataException($"{Bytes.Length} bytes at {Offset} of {Total} arrived, expected are {all.Length} bytes in all.");
        Bytes.CopyTo(all[Offset..]);
    }
}
