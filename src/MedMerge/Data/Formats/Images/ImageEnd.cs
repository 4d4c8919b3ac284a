using System.Buffers.Binary;

namespace MedMerge.Data.Formats.Images;

/// <summary>Whether a file reaches the end of its image. The decoders fill what is missing with grey and say nothing.</summary>
internal static class ImageEnd
{
    private const int RiffHeader = 8;
    private const int BmpHeader = 54;
    private const int BmpStart = 10; // where a BMP says where its pixels start
    private const int BmpArrayHeader = 14;

    /// <summary>
    /// True where the end is there, and for formats whose decoders notice by themselves. JPEG has <see cref="Jpeg.JpegOutline"/>.
    /// </summary>
    public static bool IsReached(ReadOnlySpan<byte> file)
    {
        if (PngChunks.IsPng(file)) return PngChunks.HasEnd(file);
        if (file.StartsWith("RIFF"u8)) return HasRiffEnd(file);
        if (file.StartsWith("BM"u8)) return HasBmpEnd(file);
        if (file.StartsWith("II*\0"u8))
            return HasTiffEnd(file, BinaryPrimitives.ReadUInt16LittleEndian, BinaryPrimitives.ReadUInt32LittleEndian);
        if (file.StartsWith("MM\0*"u8))
            return HasTiffEnd(file, BinaryPrimitives.ReadUInt16BigEndian, BinaryPrimitives.ReadUInt32BigEndian);
        return true;
    }

    /// <summary>
    /// Whether a file is long enough for the place where a BMP says that its pixels start. What lies before them is the palette, and the
    /// decoder makes room for all of it, up to 2 GB, before it reads any.
    /// </summary>
    public static bool IsStartReached(ReadOnlySpan<byte> file)
    {
        var bmp = file.StartsWith("BA"u8) ? Rest(file, BmpArrayHeader) : file; // of OS/2, which holds several
        if (!bmp.StartsWith("BM"u8)) return true;
        var start = Rest(bmp, BmpStart);
        return start.Length >= sizeof(uint) && BinaryPrimitives.ReadUInt32LittleEndian(start) <= file.Length;
    }

    /// <summary>By the size of its rows where they are not compressed; what the header says of the file's size is often wrong.</summary>
    private static bool HasBmpEnd(ReadOnlySpan<byte> file)
    {
        if (file.Length < BmpHeader) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(file[14..]) < BmpHeader - 14) return true; // of OS/2, with narrower fields
        var start = BinaryPrimitives.ReadUInt32LittleEndian(file[BmpStart..]);
        var width = (long)BinaryPrimitives.ReadInt32LittleEndian(file[18..]);
        var height = Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(file[22..]));
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(file[28..]);
        var isCompressed = BinaryPrimitives.ReadUInt32LittleEndian(file[30..]) is 1 or 2;
        var length = isCompressed ? BinaryPrimitives.ReadUInt32LittleEndian(file[34..]) : ((width * bits) + 31) / 32 * 4 * height;
        return start + length <= file.Length;
    }

    /// <summary>By the strips or tiles of its first picture.</summary>
    private static bool HasTiffEnd(ReadOnlySpan<byte> file, Number<ushort> readShort, Number<uint> readLong)
    {
        const int EntryLength = 12, LongType = 4;
        var directory = Rest(file, readLong(file[4..]));
        if (directory.Length < sizeof(ushort)) return false;
        var entries = directory[sizeof(ushort)..];
        if (entries.Length < readShort(directory) * EntryLength) return false;
        List<uint> starts = [], lengths = [];
        for (var i = 0; i < readShort(directory); i++)
        {
            var entry = entries.Slice(i * EntryLength, EntryLength);
            var values = readShort(entry) switch
            {
                273 or 324 => starts, // of strips, of tiles
                279 or 325 => lengths,
                _ => null,
            };
            if (values is null) continue;
            var count = readLong(entry[4..]);
            var size = readShort(entry[2..]) == LongType ? sizeof(uint) : sizeof(ushort);
            var data = count * (long)size <= sizeof(uint) ? entry[8..] : Rest(file, readLong(entry[8..]));
            if (data.Length < count * (long)size) return false;
            for (var k = 0; k < (int)count; k++)
            {
                var value = data[(k * size)..];
                values.Add(size == sizeof(uint) ? readLong(value) : readShort(value));
            }
        }
        var end = starts.Zip(lengths, (start, length) => start + (long)length).DefaultIfEmpty().Max();
        return end <= file.Length;
    }

    private static ReadOnlySpan<byte> Rest(ReadOnlySpan<byte> file, uint start) => start < file.Length ? file[(int)start..] : [];

    private static bool HasRiffEnd(ReadOnlySpan<byte> file) =>
        file.Length >= RiffHeader && BinaryPrimitives.ReadUInt32LittleEndian(file[4..]) + (long)RiffHeader <= file.Length;

    private delegate T Number<T>(ReadOnlySpan<byte> bytes);
}
