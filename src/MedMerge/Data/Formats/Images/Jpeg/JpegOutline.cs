using System.Buffers.Binary;

namespace MedMerge.Data.Formats.Images.Jpeg;

/// <summary>What the segments of a JPEG file say, as far as its end.</summary>
/// <param name="Scans">How many scans there are.</param>
/// <param name="IsBaseline">Whether it is sequential, with 8 bits and Huffman coding: what nearly all files are.</param>
/// <param name="HasExif">Whether it has EXIF, which may say that the image is turned.</param>
internal readonly record struct JpegOutline(int Scans, bool IsBaseline, bool HasExif)
{
    private const byte Baseline = 0xc0, App1 = 0xe1, StartOfScan = 0xda, End = 0xd9;

    /// <summary>Reads the segments; null if the end of the image is not there.</summary>
    /// <remarks>Follows the segments by their lengths, for one of them may hold a smaller picture with an end of its own.</remarks>
    public static JpegOutline? Read(ReadOnlySpan<byte> file)
    {
        var scans = 0;
        byte? frame = null;
        var hasExif = false;
        var rest = file[2..];
        while (true)
        {
            var start = rest.IndexOf((byte)0xff);
            if (start < 0 || start + 1 >= rest.Length) return null;
            var marker = rest[start + 1];
            if (marker == End) return new JpegOutline(scans, frame == Baseline, hasExif);
            if (marker == StartOfScan) scans++;
            if (IsFrame(marker)) frame ??= marker;
            // Fill bytes, escaped values of a scan, and restarts of it stand alone.
            var standsAlone = marker is 0xff or 0x00 or 0x01 or (>= 0xd0 and <= 0xd8);
            rest = rest[(start + (marker == 0xff ? 1 : 2))..];
            if (standsAlone) continue;
            if (rest.Length < sizeof(ushort)) return null;
            var length = BinaryPrimitives.ReadUInt16BigEndian(rest);
            if (length > rest.Length) return null;
            hasExif |= marker == App1 && rest[sizeof(ushort)..].StartsWith("Exif\0"u8);
            rest = rest[length..];
        }
    }

    /// <summary>Among the frames' numbers are two of tables: Huffman's (C4) and arithmetic coding's (CC).</summary>
    private static bool IsFrame(byte marker) => marker is >= 0xc0 and <= 0xcf and not (0xc4 or 0xcc);
}
