namespace MedMerge.Data.Formats.Images.Dicom;

/// <summary>How a DICOM file's data are written (DICOM PS3.6, table A-1).</summary>
internal static class TransferSyntaxes
{
    /// <summary>Little endian, without value representations.</summary>
    public const string Implicit = "1.2.840.10008.1.2";

    /// <summary>Little endian, with value representations.</summary>
    public const string Explicit = "1.2.840.10008.1.2.1";

    /// <summary>Run lengths of bytes.</summary>
    public const string RunLength = "1.2.840.10008.1.2.5";

    /// <summary>JPEG with 8 bits.</summary>
    public const string JpegBaseline = "1.2.840.10008.1.2.4.50";

    private static readonly Dictionary<string, string> Unread = new()
    {
        ["1.2.840.10008.1.2.1.99"] = "deflated",
        ["1.2.840.10008.1.2.2"] = "big endian",
        ["1.2.840.10008.1.2.4.51"] = "JPEG with 12 bits",
        ["1.2.840.10008.1.2.4.52"] = "JPEG (extended, retired)",
        ["1.2.840.10008.1.2.4.53"] = "JPEG (spectral selection, retired)",
        ["1.2.840.10008.1.2.4.55"] = "progressive JPEG (retired)",
        ["1.2.840.10008.1.2.4.57"] = "lossless JPEG",
        ["1.2.840.10008.1.2.4.70"] = "lossless JPEG (first-order prediction)",
        ["1.2.840.10008.1.2.4.80"] = "lossless JPEG-LS",
        ["1.2.840.10008.1.2.4.81"] = "near-lossless JPEG-LS",
        ["1.2.840.10008.1.2.4.90"] = "lossless JPEG 2000",
        ["1.2.840.10008.1.2.4.91"] = "JPEG 2000",
        ["1.2.840.10008.1.2.4.92"] = "lossless JPEG 2000 (multi-component)",
        ["1.2.840.10008.1.2.4.93"] = "JPEG 2000 (multi-component)",
        ["1.2.840.10008.1.2.4.94"] = "JPIP",
        ["1.2.840.10008.1.2.4.95"] = "deflated JPIP",
        ["1.2.840.10008.1.2.4.100"] = "MPEG-2",
        ["1.2.840.10008.1.2.4.101"] = "MPEG-2 (high level)",
        ["1.2.840.10008.1.2.4.102"] = "MPEG-4",
        ["1.2.840.10008.1.2.4.103"] = "MPEG-4 (BD-compatible)",
        ["1.2.840.10008.1.2.4.104"] = "MPEG-4 (level 4.2, 2D)",
        ["1.2.840.10008.1.2.4.105"] = "MPEG-4 (level 4.2, 3D)",
        ["1.2.840.10008.1.2.4.106"] = "MPEG-4 (stereo)",
        ["1.2.840.10008.1.2.4.107"] = "HEVC",
        ["1.2.840.10008.1.2.4.108"] = "HEVC with 10 bits",
        ["1.2.840.10008.1.2.4.110"] = "lossless JPEG XL",
        ["1.2.840.10008.1.2.4.111"] = "JPEG XL (from JPEG)",
        ["1.2.840.10008.1.2.4.112"] = "JPEG XL",
        ["1.2.840.10008.1.2.4.201"] = "lossless high-throughput JPEG 2000",
        ["1.2.840.10008.1.2.4.202"] = "lossless high-throughput JPEG 2000 (RPCL)",
        ["1.2.840.10008.1.2.4.203"] = "high-throughput JPEG 2000",
    };

    /// <summary>Checks that files of this syntax are read.</summary>
    /// <exception cref="FormatException">They are not.</exception>
    public static void Check(string syntax)
    {
        if (syntax is Implicit or Explicit or RunLength or JpegBaseline) return;
        var name = Unread.TryGetValue(syntax, out var known) ? $"{known} ({syntax})" : syntax;
        throw new FormatException(
            $"its transfer syntax is {name}; uncompressed, RLE and baseline JPEG are read. " +
            "Tools such as dcmdjpeg, dcmdjpls and gdcmconv decompress it");
    }
}
