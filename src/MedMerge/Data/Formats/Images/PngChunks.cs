using System.Buffers.Binary;

namespace MedMerge.Data.Formats.Images;

/// <summary>The chunks of a PNG (PNG specification, section 5.3): length, type, content, checksum.</summary>
internal static class PngChunks
{
    private const int SignatureLength = 8, LengthAndType = 8, Frame = 12;

    /// <summary>Whether a file begins as a PNG does.</summary>
    public static bool IsPng(ReadOnlySpan<byte> file) => file is [0x89, (byte)'P', (byte)'N', (byte)'G', _, _, _, _, ..];

    /// <summary>Whether the last chunk is there.</summary>
    public static bool HasEnd(ReadOnlySpan<byte> file)
    {
        for (var place = SignatureLength; FindLength(file, place) is { } length; place += length)
        {
            if (TypeAt(file, place) is "IEND") return true;
        }
        return false;
    }

    /// <summary>
    /// A file without texts and colour profiles, which no pixel depends on: the decoder unpacks them whatever their size, and a megabyte
    /// of them can hold a gigabyte. Other files are returned as they are.
    /// </summary>
    public static byte[] WithoutTexts(byte[] file)
    {
        if (!IsPng(file)) return file;
        var kept = new MemoryStream(file.Length);
        kept.Write(file, 0, SignatureLength);
        var place = SignatureLength;
        for (; FindLength(file, place) is { } length; place += length)
        {
            if (TypeAt(file, place) is not ("zTXt" or "iTXt" or "iCCP")) kept.Write(file, place, length);
        }
        if (kept.Length == place) return file;
        kept.Write(file, place, file.Length - place); // what is no whole chunk
        return kept.ToArray();
    }

    /// <summary>The length of a chunk with its frame; null where the file ends before it does.</summary>
    private static int? FindLength(ReadOnlySpan<byte> file, int place)
    {
        if (file.Length - place < Frame) return null;
        var length = BinaryPrimitives.ReadUInt32BigEndian(file[place..]) + (long)Frame;
        return length <= file.Length - place ? (int)length : null;
    }

    private static string TypeAt(ReadOnlySpan<byte> file, int place) =>
        System.Text.Encoding.ASCII.GetString(file.Slice(place + sizeof(uint), LengthAndType - sizeof(uint)));
}
