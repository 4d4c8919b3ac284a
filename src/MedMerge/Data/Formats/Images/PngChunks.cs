using System.Buffers.Binary;

namespace MedMerge.Data.Formats.Images;

/// <summary>The chunks of a PNG (PNG specification, section 5.3): length, type, content, checksum.</summary>
internal static class PngChunks
{
    private const int SignatureLength = 8, TypeStart = 4, Frame = 12;

    /// <summary>Whether a file begins as a PNG does.</summary>
    public static bool IsPng(ReadOnlySpan<byte> file) => file is [0x89, (byte)'P', (byte)'N', (byte)'G', _, _, _, _, ..];

    /// <summary>Whether the last chunk is there.</summary>
    public static bool HasEnd(ReadOnlySpan<byte> file)
    {
        for (var place = SignatureLength; FindLength(file, place) is { } length; place += length)
        {
            if (IsOf(file, place, "IEND"u8)) return true;
        }
        return false;
    }

    /// <summary>
    /// A file without texts and colour profiles, which no pixel depends on: the decoder unpacks them whatever their size, and a megabyte
    /// of them can hold a gigabyte. A file that has none is returned as it is.
    /// </summary>
    public static byte[] WithoutTexts(byte[] file)
    {
        if (!IsPng(file)) return file;
        var kept = new List<byte[]>();
        var start = 0; // of what is kept next
        for (var place = SignatureLength; FindLength(file, place) is { } length; place += length)
        {
            if (!IsText(file, place)) continue;
            kept.Add(file[start..place]);
            start = place + length;
        }
        return start == 0 ? file : [.. kept.SelectMany(part => part), .. file[start..]];
    }

    private static bool IsText(ReadOnlySpan<byte> file, int place) =>
        IsOf(file, place, "zTXt"u8) || IsOf(file, place, "iTXt"u8) || IsOf(file, place, "iCCP"u8);

    private static bool IsOf(ReadOnlySpan<byte> file, int place, ReadOnlySpan<byte> type) => file[(place + TypeStart)..].StartsWith(type);

    /// <summary>The length of a chunk with its frame; null where the file ends before it does.</summary>
    private static int? FindLength(ReadOnlySpan<byte> file, int place)
    {
        if (file.Length - place < Frame) return null;
        var length = BinaryPrimitives.ReadUInt32BigEndian(file[place..]) + (long)Frame;
        return length <= file.Length - place ? (int)length : null;
    }
}
