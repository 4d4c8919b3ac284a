using System.Runtime.InteropServices;
using SkiaSharp;

namespace MedMerge.Data.Formats.Images.Jpeg;

/// <summary>Reads JPEG with Skia's libjpeg-turbo.</summary>
internal static class SkiaJpeg
{
    private const int RowsAtOnce = 16;

    /// <summary>Reads an image.</summary>
    /// <param name="checkSize">Throws where width and height are too much; nothing is decoded before.</param>
    /// <exception cref="FormatException">It is damaged, or of a kind that libjpeg-turbo does not read.</exception>
    public static DecodedImage Decode(byte[] file, Action<int, int> checkSize) => Open(file, codec =>
    {
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        checkSize(width, height);
        return codec.Info.ColorType == SKColorType.Gray8 ? ReadGrey(codec, width, height) : ReadColours(codec, width, height);
    });

    /// <summary>How EXIF says that an image lies.</summary>
    /// <exception cref="FormatException">It is damaged, or of a kind that libjpeg-turbo does not read.</exception>
    public static SKEncodedOrigin ReadOrigin(byte[] file) => Open(file, codec => codec.EncodedOrigin);

    private static T Open<T>(byte[] file, Func<SKCodec, T> read)
    {
        var handle = GCHandle.Alloc(file, GCHandleType.Pinned);
        try
        {
            using var data = SKData.Create(handle.AddrOfPinnedObject(), file.Length);
            using var codec = SKCodec.Create(data);
            if (codec is null)
                throw new FormatException("its header is damaged, or of a kind that is not read: 12 bits, lossless, arithmetic coding");
            return read(codec);
        }
        finally
        {
            handle.Free();
        }
    }

    private static DecodedImage ReadGrey(SKCodec codec, int width, int height)
    {
        Start(codec, new SKImageInfo(width, height, SKColorType.Gray8, SKAlphaType.Opaque));
        var pixels = new byte[height * width];
        ReadRows(codec, pixels, height, width);
        return new DecodedImage(width, height, 1, pixels);
    }

    /// <summary>A few rows at a time, for Skia gives four bytes for each pixel.</summary>
    private static DecodedImage ReadColours(SKCodec codec, int width, int height)
    {
        Start(codec, new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var pixels = new byte[height * width * 3];
        var rows = new byte[RowsAtOnce * width * 4];
        for (var y = 0; y < height; y += RowsAtOnce)
        {
            var count = Math.Min(RowsAtOnce, height - y);
            ReadRows(codec, rows, count, width * 4);
            var target = pixels.AsSpan(y * width * 3, count * width * 3);
            for (var i = 0; i < count * width; i++)
            {
                target[3 * i] = rows[4 * i];
                target[(3 * i) + 1] = rows[(4 * i) + 1];
                target[(3 * i) + 2] = rows[(4 * i) + 2];
            }
        }
        return new DecodedImage(width, height, 3, pixels);
    }

    private static void Start(SKCodec codec, SKImageInfo info)
    {
        var result = codec.StartScanlineDecode(info);
        if (result != SKCodecResult.Success) throw new FormatException($"libjpeg-turbo says {result}");
    }

    private static void ReadRows(SKCodec codec, byte[] buffer, int count, int bytesPerRow)
    {
        var handle = GCHandle.Alloc(buffer, GCHandleType.Pinned);
        try
        {
            var read = codec.GetScanlines(handle.AddrOfPinnedObject(), count, bytesPerRow);
            if (read < count) throw new FormatException("its rows end early");
        }
        finally
        {
            handle.Free();
        }
    }
}
