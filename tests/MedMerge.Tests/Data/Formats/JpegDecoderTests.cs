using MedMerge.Data;
using MedMerge.Data.Formats.Images;
using MedMerge.Data.Formats.Images.Jpeg;
using MedMerge.Tests.Fuzzing;
using SkiaSharp;

namespace MedMerge.Tests.Data.Formats;

/// <summary>Whether the system's libjpeg-turbo is installed changes neither an image's bytes nor what is refused.</summary>
public sealed class JpegDecoderTests
{
    private const int Quality = 90;

    private static readonly Action<int, int> AnySize = (_, _) => { };

    [Theory]
    [InlineData(1, 1, 90)]
    [InlineData(7, 9, 50)]
    [InlineData(64, 48, 1)]
    [InlineData(101, 33, 100)]
    public void Usual_files_have_the_same_bytes_with_both_libraries(int width, int height, int quality)
    {
        var turbo = SkipWithoutTurbo();
        foreach (var file in Encode(width, height, quality))
        {
            var expected = SkiaJpeg.Decode(file, AnySize);

            var image = turbo.TryDecode(file, AnySize);

            Assert.NotNull(image);
            Assert.Equal((width, height, expected.Channels), (image.Width, image.Height, image.Channels));
            Assert.Equal(expected.Pixels, image.Pixels);
        }
    }

    [Fact]
    public void Real_images_have_the_same_bytes_with_both_libraries()
    {
        var turbo = SkipWithoutTurbo();
        var files = Directory.GetFiles(RealData.File("nih_cxr_224"), "*.jpg", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (var path in files.Where((_, i) => i % 10 == 0))
        {
            var file = File.ReadAllBytes(path);
            Assert.Equal(SkiaJpeg.Decode(file, AnySize).Pixels, turbo.TryDecode(file, AnySize)?.Pixels);
        }
    }

    /// <summary>Where damage gives values that no encoder does, SIMD computes other bytes of them; Pillow has these too.</summary>
    [Fact]
    public void Damaged_files_are_read_or_refused_alike()
    {
        var turbo = SkipWithoutTurbo();
        List<byte[]> seeds = [.. Encode(23, 17, Quality)];
        for (var number = 1; number <= 3000; number++)
        {
            var file = new Mutator(number).Next(seeds);
            Assert.Equal((number, Describe(file, null)), (number, Describe(file, turbo)));
        }
    }

    [Fact]
    public void Too_many_pixels_are_refused_before_they_are_decoded()
    {
        var turbo = SkipWithoutTurbo();
        var file = Encode(64, 48, Quality).First();

        _ = Assert.Throws<InputException>(() => turbo.TryDecode(file, (_, _) => throw new InputException("too large")));
    }

    /// <summary>Some versions of the library read arithmetic coding or lossless files, others do not.</summary>
    [Theory]
    [InlineData(0xc0, true)]
    [InlineData(0xc1, false)]
    [InlineData(0xc2, false)]
    [InlineData(0xc3, false)]
    [InlineData(0xc9, false)]
    public void Only_baseline_files_count_as_such(byte frame, bool isBaseline)
    {
        var file = Encode(8, 8, Quality).First();
        file[file.AsSpan().IndexOf<byte>([0xff, 0xc0]) + 1] = frame;

        var outline = JpegOutline.Read(file);

        Assert.Equal(new JpegOutline(Scans: 1, isBaseline, HasExif: false), outline);
    }

    private static TurboJpeg SkipWithoutTurbo()
    {
        if (TurboJpeg.Installed is null) Assert.Skip("libturbojpeg is not here (Debian: apt-get install libturbojpeg0).");
        return TurboJpeg.Installed;
    }

    /// <summary>Grey, and each sampling of colours that is usual.</summary>
    private static IEnumerable<byte[]> Encode(int width, int height, int quality)
    {
        yield return Encode(width, height, quality, SKColorType.Gray8, SKJpegEncoderDownsample.Downsample444);
        foreach (var sampling in Enum.GetValues<SKJpegEncoderDownsample>())
            yield return Encode(width, height, quality, SKColorType.Rgba8888, sampling);
    }

    private static byte[] Encode(int width, int height, int quality, SKColorType colours, SKJpegEncoderDownsample sampling)
    {
        using var bitmap = new SKBitmap(width, height, colours, SKAlphaType.Opaque);
        new Random(3).NextBytes(bitmap.GetPixelSpan());
        using var pixels = bitmap.PeekPixels();
        using var data = pixels.Encode(new SKJpegEncoderOptions(quality, sampling, SKJpegEncoderAlphaOption.Ignore));
        return data!.ToArray();
    }

    /// <summary>The image's shape, or why it is refused.</summary>
    private static string Describe(byte[] file, TurboJpeg? turbo)
    {
        try
        {
            using var room = new PixelRoom();
            var image = ImageDecoder.Decode(file, "'x.jpg'", room, turbo);
            return $"{image.Width} × {image.Height}";
        }
        catch (InputException error)
        {
            return error.Message;
        }
    }
}
