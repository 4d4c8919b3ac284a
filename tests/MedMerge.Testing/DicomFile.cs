using System.Text;

namespace MedMerge.Testing;

/// <summary>Writes DICOM files for tests, without pydicom.</summary>
internal static class DicomFile
{
    /// <summary>A file of 8 × 8 pixels.</summary>
    /// <param name="syntax">Its transfer syntax.</param>
    /// <param name="pixels">Their element: <see cref="StartPixels"/> and the bytes, or <see cref="CompressedPixels"/>.</param>
    public static byte[] Write(string syntax, string photometric, int samples, int bits, byte[] pixels)
    {
        var isExplicit = syntax != "1.2.840.10008.1.2";
        return
        [
            .. new byte[128], .. "DICM"u8,
            .. Element(0x0002, 0x0010, "UI", Encoding.ASCII.GetBytes(syntax.PadRight(syntax.Length + (syntax.Length % 2), '\0'))),
            .. Element(0x0028, 0x0002, "US", [(byte)samples, 0], isExplicit),
            .. Element(0x0028, 0x0004, "CS", Encoding.ASCII.GetBytes(photometric.PadRight(12)), isExplicit),
            .. Element(0x0028, 0x0010, "US", [8, 0], isExplicit),
            .. Element(0x0028, 0x0011, "US", [8, 0], isExplicit),
            .. Element(0x0028, 0x0100, "US", [(byte)(bits > 8 ? 16 : 8), 0], isExplicit),
            .. Element(0x0028, 0x0101, "US", [(byte)bits, 0], isExplicit),
            .. Element(0x0028, 0x0102, "US", [(byte)(bits - 1), 0], isExplicit),
            .. Element(0x0028, 0x0103, "US", [0, 0], isExplicit),
            .. Element(0x0028, 0x1050, "DS", "2000"u8, isExplicit),
            .. Element(0x0028, 0x1051, "DS", "1500"u8, isExplicit),
            .. pixels,
        ];
    }

    /// <summary>The head of the pixels' element.</summary>
    public static byte[] StartPixels(int length, bool isExplicit = true)
    {
        byte[] type = isExplicit ? [.. "OW"u8, 0, 0] : [];
        return [0xe0, 0x7f, 0x10, 0, .. type, .. BitConverter.GetBytes(length)];
    }

    /// <summary>The element of compressed pixels: a table of offsets, which is empty, and one fragment, of even length.</summary>
    public static byte[] CompressedPixels(byte[] content)
    {
        byte[] item = [0xfe, 0xff, 0x00, 0xe0];
        byte[] end = [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0];
        byte[] even = [.. content, .. new byte[content.Length % 2]];
        return [.. StartPixels(-1), .. item, 0, 0, 0, 0, .. item, .. BitConverter.GetBytes(even.Length), .. even, .. end];
    }

    private static byte[] Element(int group, int number, string type, ReadOnlySpan<byte> value, bool isExplicit = true)
    {
        byte[] tag = [(byte)group, (byte)(group >> 8), (byte)number, (byte)(number >> 8)];
        byte[] head = isExplicit ? [.. Encoding.ASCII.GetBytes(type), (byte)value.Length, 0] : [(byte)value.Length, 0, 0, 0];
        return [.. tag, .. head, .. value];
    }
}
