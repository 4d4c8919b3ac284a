using SkiaSharp;

namespace MedMerge.Data.Formats.Images.Jpeg;

/// <summary>
/// Reads JPEG with libjpeg-turbo, whose bytes Pillow and PyTorch's readers have too, turned upright as EXIF says. The system's, where it is
/// installed, reads sound files of the usual kinds, and faster, for it has SIMD; Skia's the others, and it decides what is refused.
/// </summary>
internal static class JpegDecoder
{
    /// <summary>Whether a file says that it is one.</summary>
    public static bool IsJpeg(ReadOnlySpan<byte> file) => file is [0xff, 0xd8, 0xff, ..];

    /// <summary>Reads an image, in grey if it is stored so or has no other colours.</summary>
    /// <param name="outline">The file's.</param>
    /// <param name="checkSize">Throws where width and height are too much; nothing is decoded before.</param>
    /// <param name="isTurned">Whether EXIF's orientation counts.</param>
    /// <param name="turbo">The system's library; null for Skia's alone.</param>
    /// <exception cref="FormatException">It is damaged, or of a kind that libjpeg-turbo does not read.</exception>
    public static DecodedImage Decode(byte[] file, JpegOutline outline, Action<int, int> checkSize, bool isTurned, TurboJpeg? turbo)
    {
        var isUsual = outline is { IsBaseline: true, Scans: 1 };
        var decoded = (isUsual ? turbo?.TryDecode(file, checkSize) : null) ?? SkiaJpeg.Decode(file, checkSize);
        var image = decoded.WithoutEqualChannels();
        return isTurned && outline.HasExif ? TurnUpright(image, SkiaJpeg.ReadOrigin(file)) : image;
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
