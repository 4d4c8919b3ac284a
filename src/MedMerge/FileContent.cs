using System.Buffers;

namespace MedMerge;

/// <summary>Recognises files that are often given in place of another: a failed download, an archive, a format for other tools.</summary>
internal static class FileContent
{
    private const int MaxTextChecked = 256;
    private const int TarMagicOffset = 257;

    private static readonly SearchValues<byte> PlainText =
        SearchValues.Create([.. "\t\r\n"u8, .. Enumerable.Range(' ', 95).Select(code => (byte)code)]);

    /// <summary>What a file is and what to do about it, as it completes "it is …"; null if it is not known.</summary>
    public static string? Describe(ReadOnlySpan<byte> file) => DescribeUnlessText(file) ?? (IsText(file) ? "a text file" : null);

    /// <summary>The same of a file that should be text; null if it may be.</summary>
    public static string? DescribeUnlessText(ReadOnlySpan<byte> file)
    {
        var start = file.TrimStart(" \t\r\n\uFEFF"u8);
        if (start.StartsWith("version https://git-lfs"u8))
            return "a Git LFS pointer in place of the file: get the file with 'git lfs pull'";
        if (StartsWithIgnoringCase(start, "<!doctype html") || StartsWithIgnoringCase(start, "<html"))
            return "a web page: the download gave a page in place of the file";
        if (start.StartsWith("<?xml"u8)) return "an XML document; a download may have failed";
        if (start.StartsWith("{"u8))
        {
            return start.IndexOf("\"weight_map\""u8) >= 0
                ? "the JSON index of a model in several files, which are not read: save the model in one"
                : "a JSON document";
        }
        if (file is [0x89, (byte)'H', (byte)'D', (byte)'F', ..]) return "an HDF5 file, as Keras and h5py write it";
        if (file.Length > 0 && file[0] == 0x93 && file[1..].StartsWith("NUMPY"u8)) return "a single NumPy array (.npy)";
        if (file.StartsWith("GGUF"u8)) return "a GGUF file";
        if (file.StartsWith("PK\x03\x04"u8)) return "a zip archive";
        if (DescribeArchive(file) is { } archive) return $"{archive} archive: unpack it first";
        if (DescribeImage(file) is { } image) return image;
        if (file is [0x80, 2 or 3 or 4 or 5, ..]) return "a Python pickle";
        if (IsSafetensors(file)) return "a safetensors file";
        if (file is [0xff, 0xfe, ..] or [0xfe, 0xff, ..]) return "text in UTF-16: save it in UTF-8";
        return null;
    }

    /// <summary>Whether a file begins as safetensors do, whole or not: a length, then a JSON object.</summary>
    public static bool IsSafetensors(ReadOnlySpan<byte> file) => file is [_, _, _, _, _, 0, 0, 0, (byte)'{', ..];

    private static string? DescribeArchive(ReadOnlySpan<byte> file)
    {
        if (file is [0x1f, 0x8b, 8, ..]) return "a gzip";
        if (file.StartsWith("BZh"u8)) return "a bzip2";
        if (file is [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..]) return "an xz";
        if (file is [0x28, 0xb5, 0x2f, 0xfd, ..]) return "a Zstandard";
        if (file is [(byte)'7', (byte)'z', 0xbc, 0xaf, ..]) return "a 7z";
        var isTar = file.Length > TarMagicOffset && file[TarMagicOffset..].StartsWith("ustar"u8);
        return isTar ? "a tar" : null;
    }

    private static string? DescribeImage(ReadOnlySpan<byte> file)
    {
        if (file is [0x89, (byte)'P', (byte)'N', (byte)'G', ..]) return "a PNG image";
        if (file is [0xff, 0xd8, 0xff, ..]) return "a JPEG image";
        return file.StartsWith("%PDF"u8) ? "a PDF document" : null;
    }

    private static bool StartsWithIgnoringCase(ReadOnlySpan<byte> bytes, string lower)
    {
        if (bytes.Length < lower.Length) return false;
        for (var i = 0; i < lower.Length; i++)
        {
            if (char.ToLowerInvariant((char)bytes[i]) != lower[i]) return false;
        }
        return true;
    }

    private static bool IsText(ReadOnlySpan<byte> file)
    {
        var start = file[..Math.Min(file.Length, MaxTextChecked)];
        return !start.IsEmpty && start.IndexOfAnyExcept(PlainText) < 0;
    }
}
