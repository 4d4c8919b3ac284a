using System.Buffers.Binary;

namespace MedMerge.Tests.Fuzzing;

/// <summary>Damages files: bytes, sizes in binary and in decimal, parts that are missing, doubled or from another file.</summary>
internal sealed class Mutator(int seed)
{
    private const int MaxMutations = 4;

    private static readonly long[] Sizes =
        [0, 1, 2, 127, 128, 255, 256, 65535, 65536, int.MaxValue, uint.MaxValue, 1L << 40, long.MaxValue, -1];

    private readonly Random _random = new(seed);

    /// <summary>Another file, made from one of the seeds.</summary>
    public byte[] Next(IReadOnlyList<byte[]> seeds)
    {
        var file = seeds[_random.Next(seeds.Count)];
        for (var i = _random.Next(MaxMutations); i >= 0; i--) file = Mutate(file, seeds);
        return file;
    }

    private byte[] Mutate(byte[] file, IReadOnlyList<byte[]> seeds)
    {
        if (file.Length < 2) return [.. seeds[0]];
        var place = Place(file.Length);
        var end = Math.Min(place + _random.Next(1, 64), file.Length);
        switch (_random.Next(8))
        {
            case 0:
                return file[..place];
            case 1:
                return [.. file[..place], .. file[end..]];
            case 2:
                return [.. file[..end], .. file[place..]];
            case 3:
                var other = seeds[_random.Next(seeds.Count)];
                return [.. file[..place], .. other[Math.Min(place, other.Length)..]];
            case 4:
                return ReplaceNumber(file);
            case 5:
                return WriteSize(file, place);
            case 6:
                return Set(file, place, (byte)(file[place] ^ (1 << _random.Next(8))));
            default:
                return Set(file, place, (byte)_random.Next(256));
        }
    }

    /// <summary>Anywhere, but half of the time near the start, where headers are, or near the end, where directories are.</summary>
    private int Place(int length)
    {
        const int Near = 300;
        var place = _random.Next(4) switch
        {
            0 => _random.Next(Math.Min(length, Near)),
            1 => length - 1 - _random.Next(Math.Min(length, Near)),
            _ => _random.Next(length),
        };
        return Math.Clamp(place, 0, length - 1);
    }

    private static byte[] Set(byte[] file, int place, byte value)
    {
        var changed = file.ToArray();
        changed[place] = value;
        return changed;
    }

    private byte[] WriteSize(byte[] file, int place)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        var size = Sizes[_random.Next(Sizes.Length)];
        if (_random.Next(3) == 0) BinaryPrimitives.WriteInt64BigEndian(bytes, size);
        else BinaryPrimitives.WriteInt64LittleEndian(bytes, size);
        var length = Math.Min(1 << _random.Next(4), file.Length - place);
        var changed = file.ToArray();
        bytes[..length].CopyTo(changed.AsSpan(place));
        return changed;
    }

    /// <summary>Puts another number in place of one that is written in digits.</summary>
    private byte[] ReplaceNumber(byte[] file)
    {
        var from = _random.Next(file.Length);
        var start = file.AsSpan(from).IndexOfAnyInRange((byte)'0', (byte)'9');
        if (start < 0) return file;
        start += from;
        var end = start;
        while (end < file.Length && file[end] is >= (byte)'0' and <= (byte)'9') end++;
        return [.. file[..start], .. System.Text.Encoding.ASCII.GetBytes($"{Sizes[_random.Next(Sizes.Length)]}"), .. file[end..]];
    }
}
