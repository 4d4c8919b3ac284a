using System.Runtime.InteropServices;
using SkiaSharp;

namespace MedMerge.Data.Formats.Images;

/// <summary>Reads JPEG with Skia's libjpeg-turbo, whose bytes Pillow and PyTorch's readers have too, turned upright as EXIF says.</summary>
internal static class JpegDecoder
{
    private const int RowsAtOnce = 16;

    /// <summary>Whether a file says that it is one.</summary>
    public static bool IsJpeg(ReadOnlySpan<byte> file) => file is [0xff, 0xd8, 0xff, ..];

    /// <summary>Reads an image, in grey if it is stored so.</summary>
    /// <param name="checkSize">Throws where width and height are too much; nothing is decoded before.</param>
    /// <param name="isTurned">Whether EXIF's orientation counts.</param>
    /// <exception cref="FormatException">It is damaged, or of a kind that libjpeg-turbo does not read.</exception>
    public static DecodedImage Decode(byte[] file, Action<int, int> checkSize, bool isTurned)
    {
        var (image, origin) = Read(file, checkSize);
        return isTurned ? TurnUpright(image, origin) : image;
    }

    private static (DecodedImage Image, SKEncodedOrigin Origin) Read(byte[] file, Action<int, int> checkSize)
    {
        var handle = GCHandle.Alloc(file, GCHandleType.Pinned);
        try
        {
            using var data = SKData.Create(handle.AddrOfPinnedObject(), file.Length);
            using var codec = SKCodec.Create(data);
            if (codec is null)
                throw new FormatException("its header is damaged, or of a kind that is not read: 12 bits, lossless, arithmetic coding");
            var (width, height) = (codec.Info.Width, codec.Info.Height);
            checkSize(width, height);
            var isGrey = codec.Info.ColorType == SKColorType.Gray8;
            return (isGrey ? ReadGrey(codec, width, height) : ReadColours(codec, width, height), codec.EncodedOrigin);
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
        return new DecodedImage(width, height, 3, pixels).WithoutEqualChannels();
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

    private static DecodedImage TurnUpright(DecodedImage image, SKEncodedOrigin origin)
    {
        if (origin is SKEncodedOrigin.TopLeft) return image;
        var (right, bottom) = (image.Width - 1, image.Height - 1);
        var liesOnSide = origin >= SKEncodedOrigin.LeftTop;
        var (width, height) = liesOnSide ? (image.Height, image.Width) : (image.Width, image.Height);
        var pixels = new byte[image.Pixels.Length];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (fromX, fromY) = origin switch
                {
                    SKEncodedOrigin.TopRight => (right - x, y),
                    SKEncodedOrigin.BottomRight => (right - x, bottom - y),
                    SKEncodedOrigin.BottomLeft => (x, bottom - y),
                    SKEncodedOrigin.LeftTop => (y, x),
                    SKEncodedOrigin.RightTop => (y, bottom - x),
                    SKEncodedOrigin.RightBottom => (right - y, bottom - x),
                    SKEncodedOrigin.LeftBottom => (right - y, x),
                    _ => (x, y),
                };
                var pixel = image.Pixels.AsSpan(((fromY * image.Width) + fromX) * image.Channels, image.Channels);
                pixel.CopyTo(pixels.AsSpan(((y * width) + x) * image.Channels));
            }
        }
        return new DecodedImage(width, height, image.Channels, pixels);
    }
}
