using System.Runtime.InteropServices;

namespace MedMerge.Data.Formats.Images.Jpeg;

/// <summary>
/// Reads the usual kinds of JPEG with the system's libjpeg-turbo, through its TurboJPEG API of version 2 (3 has it too). It is built with
/// SIMD, which SkiaSharp's copy is not: the same bytes in less time.
/// </summary>
internal sealed unsafe class TurboJpeg
{
    // turbojpeg.h: TJCS_, TJSAMP_, TJPF_ and TJFLAG_
    private const int YCbCrSpace = 1, GreySpace = 2;
    private const int FullSampling = 0, HalfWidthSampling = 1, HalfBothSampling = 2, GreySampling = 3;
    private const int RgbFormat = 0, GreyFormat = 6;
    private const int AccurateDct = 4096;

    private readonly delegate* unmanaged<nint> _create;
    private readonly delegate* unmanaged<nint, byte*, CULong, int*, int*, int*, int*, int> _readHeader;
    private readonly delegate* unmanaged<nint, byte*, CULong, byte*, int, int, int, int, int, int> _decode;
    private readonly delegate* unmanaged<nint, int> _destroy;

    private TurboJpeg(nint library)
    {
        _create = (delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "tjInitDecompress");
        _readHeader = (delegate* unmanaged<nint, byte*, CULong, int*, int*, int*, int*, int>)
            NativeLibrary.GetExport(library, "tjDecompressHeader3");
        _decode = (delegate* unmanaged<nint, byte*, CULong, byte*, int, int, int, int, int, int>)
            NativeLibrary.GetExport(library, "tjDecompress2");
        _destroy = (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "tjDestroy");
    }

    /// <summary>The library; null where the system has none.</summary>
    public static TurboJpeg? Installed { get; } = TryLoad();

    /// <summary>Reads a baseline image of one scan. Several threads may call it.</summary>
    /// <param name="checkSize">Throws where width and height are too much; nothing is decoded before.</param>
    /// <returns>
    /// Null where something is wrong with the file, be it little, and where its colours or their sampling are unusual: then versions of
    /// libjpeg-turbo may differ.
    /// </returns>
    public DecodedImage? TryDecode(ReadOnlySpan<byte> file, Action<int, int> checkSize)
    {
        var decoder = _create();
        if (decoder == 0) return null;
        try
        {
            fixed (byte* start = file)
            {
                var length = new CULong((nuint)file.Length);
                int width, height, sampling, space;
                if (_readHeader(decoder, start, length, &width, &height, &sampling, &space) != 0) return null;
                if (CountChannels(space, sampling) is not { } channels) return null;
                checkSize(width, height);
                var pixels = GC.AllocateUninitializedArray<byte>(height * width * channels);
                var format = channels == 1 ? GreyFormat : RgbFormat;
                fixed (byte* target = pixels)
                {
                    var result = _decode(decoder, start, length, target, width, width * channels, height, format, AccurateDct);
                    return result == 0 ? new DecodedImage(width, height, channels, pixels) : null;
                }
            }
        }
        finally
        {
            _ = _destroy(decoder);
        }
    }

    private static int? CountChannels(int space, int sampling) => (space, sampling) switch
    {
        (GreySpace, GreySampling) => 1,
        (YCbCrSpace, FullSampling or HalfWidthSampling or HalfBothSampling) => 3,
        _ => null,
    };

    private static TurboJpeg? TryLoad()
    {
        string[] names = ["libturbojpeg.so.0", "libturbojpeg.0.dylib", "turbojpeg.dll"]; // Linux, macOS, Windows
        foreach (var name in names)
        {
            if (NativeLibrary.TryLoad(name, typeof(TurboJpeg).Assembly, DllImportSearchPath.SafeDirectories, out var library))
                return new TurboJpeg(library);
        }
        return null;
    }
}
