namespace MedMerge.Data.Formats.Images;

/// <summary>An image file's content.</summary>
/// <param name="Width">Pixels from left to right.</param>
/// <param name="Height">Pixels from top to bottom.</param>
/// <param name="Channels">1 for grey, 3 for RGB.</param>
/// <param name="Pixels">[height × width × channels], bytes, row-major.</param>
internal sealed record DecodedImage(int Width, int Height, int Channels, byte[] Pixels)
{
    private const int RedShare = 19595, GreenShare = 38470, BlueShare = 7471; // ITU-R 601 in 65536ths, as Pillow has them
    private const int ShareBits = 16;

    /// <summary>An image of a data set.</summary>
    public static DecodedImage Of(ImageDataset dataset, ReadOnlyMemory<byte> pixels) =>
        new(dataset.Width, dataset.Height, dataset.Channels, pixels.ToArray());

    /// <summary>The same image in grey (ITU-R 601 luma) or RGB.</summary>
    public DecodedImage WithChannels(int channels)
    {
        if (channels == Channels) return this;
        return this with { Channels = channels, Pixels = channels == 1 ? ToGrey(Pixels) : ToRgb(Pixels) };
    }

    /// <summary>The part that begins at a pixel.</summary>
    public DecodedImage Crop(int left, int top, int width, int height)
    {
        var pixels = new byte[height * width * Channels];
        for (var y = 0; y < height; y++)
        {
            Pixels.AsSpan((((top + y) * Width) + left) * Channels, width * Channels).CopyTo(pixels.AsSpan(y * width * Channels));
        }
        return new DecodedImage(width, height, Channels, pixels);
    }

    /// <summary>The image in the middle of a larger black one.</summary>
    public DecodedImage Pad(int width, int height)
    {
        var (left, top) = ((width - Width) / 2, (height - Height) / 2);
        var pixels = new byte[height * width * Channels];
        for (var y = 0; y < Height; y++)
        {
            Pixels.AsSpan(y * Width * Channels, Width * Channels).CopyTo(pixels.AsSpan((((top + y) * width) + left) * Channels));
        }
        return new DecodedImage(width, height, Channels, pixels);
    }

    /// <summary>In grey if red, green and blue are equal everywhere: many grey images are saved as RGB.</summary>
    public DecodedImage WithoutEqualChannels()
    {
        if (Channels == 1) return this;
        for (var i = 0; i < Pixels.Length; i += 3)
        {
            if (Pixels[i] != Pixels[i + 1] || Pixels[i] != Pixels[i + 2]) return this;
        }
        return WithChannels(1);
    }

    private static byte[] ToGrey(byte[] rgb)
    {
        var grey = new byte[rgb.Length / 3];
        for (var i = 0; i < grey.Length; i++)
        {
            var sum = (rgb[3 * i] * RedShare) + (rgb[(3 * i) + 1] * GreenShare) + (rgb[(3 * i) + 2] * BlueShare);
            grey[i] = (byte)((sum + (1 << (ShareBits - 1))) >> ShareBits);
        }
        return grey;
    }

    private static byte[] ToRgb(byte[] grey)
    {
        var rgb = new byte[grey.Length * 3];
        for (var i = 0; i < grey.Length; i++) rgb.AsSpan(3 * i, 3).Fill(grey[i]);
        return rgb;
    }
}
