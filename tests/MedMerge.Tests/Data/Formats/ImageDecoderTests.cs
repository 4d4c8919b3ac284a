using MedMerge.Data;
using MedMerge.Data.Formats.Images;
using MedMerge.Data.Formats.Images.Jpeg;

namespace MedMerge.Tests.Data.Formats;

/// <summary>Images decode and resize as Pillow has them; what is none ends in one message.</summary>
public sealed class ImageDecoderTests(PillowImages pillow) : IClassFixture<PillowImages>
{
    /// <summary>Byte for byte; Pillow too reads JPEG with libjpeg-turbo.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_format_decodes_as_with_Pillow(bool isSkiaAlone)
    {
        pillow.SkipWithout();
        var turbo = isSkiaAlone ? null : TurboJpeg.Installed;
        var files = Directory.GetFiles(pillow.Folder).Where(file => Path.GetExtension(file) is not (".bytes" or ".txt")).ToList();
        Assert.True(files.Count > 20);
        foreach (var file in files)
        {
            var name = Path.GetFileName(file);
            using var room = new PixelRoom();
            var image = ImageDecoder.Decode(File.ReadAllBytes(file), file, room, turbo);
            var expected = File.ReadAllBytes(Path.ChangeExtension(file, ".bytes"));

            Assert.True(expected.Length == image.Pixels.Length, $"{name}: {image.Width} × {image.Height} × {image.Channels}");
            var differences = expected.Zip(image.Pixels, (a, b) => Math.Abs(a - b)).ToList();
            Assert.True(differences.Max() == 0, $"{name}: {differences.Max()}");
        }
    }

    [Fact]
    public void Colours_give_Pillows_grey_and_grey_the_same_in_every_colour()
    {
        pillow.SkipWithout();
        var source = new DecodedImage(47, 61, 3, File.ReadAllBytes(Path.Combine(pillow.Folder, "source.bytes")));

        var grey = source.WithChannels(1);

        Assert.Equal(File.ReadAllBytes(Path.Combine(pillow.Folder, "source_grey.bytes")), grey.Pixels);
        var back = grey.WithChannels(3);
        Assert.Equal(grey.Pixels.SelectMany(value => Enumerable.Repeat(value, 3)), back.Pixels);
        Assert.Equal(grey.Pixels, back.WithoutEqualChannels().Pixels);
    }

    [Fact]
    public void Resizing_gives_Pillows_bytes()
    {
        pillow.SkipWithout();
        var source = new DecodedImage(47, 61, 3, File.ReadAllBytes(Path.Combine(pillow.Folder, "source.bytes")));
        foreach (var line in File.ReadLines(Path.Combine(pillow.Folder, "resized.txt")))
        {
            var parts = line.Split(' ');

            var resized = ImageResampler.Resize(source, int.Parse(parts[0]), int.Parse(parts[1]));

            Assert.Equal(parts[2], Convert.ToHexStringLower(resized.Pixels));
        }
    }

    [Theory]
    [InlineData("Pad", "000 000 111 222 000 000")]
    [InlineData("Crop", "111 222")]
    public void What_is_not_square_is_padded_or_cropped(string word, string rows)
    {
        var fit = Enum.Parse<ImageFit>(word);
        var image = new DecodedImage(6, 2, 1, [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
        var size = fit == ImageFit.Pad ? 6 : 2;

        var square = ImagePreparation.Resize(image, new ImageSettings { Size = size, Fit = fit });

        Assert.Equal((size, size), (square.Width, square.Height));
        var found = Enumerable.Range(0, size).Select(y => string.Concat(square.Pixels.Skip(y * size).Take(Math.Min(size, 3))));
        Assert.Equal(rows.Split(' ').Select(row => row[..Math.Min(size, 3)]), found);
    }

    [Theory]
    [InlineData("<!DOCTYPE html><html></html>", "is a web page: the download gave a page in place of the file; an image is PNG")]
    [InlineData("version https://git-lfs.github.com/spec/v1", "is a Git LFS pointer")]
    [InlineData("", "is of an unknown format")]
    public void What_is_no_image_is_named(string content, string message)
    {
        var error = Assert.Throws<InputException>(() => ImageDecoder.Decode(System.Text.Encoding.ASCII.GetBytes(content), "'x.png'"));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_of_a_terapixel_is_refused_before_anything_is_decoded()
    {
        // A PNG whose header claims 1,000,000 × 1,000,000 pixels.
        byte[] header = [.. "IHDR"u8, 0, 0x0f, 0x42, 0x40, 0, 0x0f, 0x42, 0x40, 8, 0, 0, 0, 0];
        byte[] checksum = [.. System.IO.Hashing.Crc32.Hash(header).Reverse()];
        byte[] end = [0, 0, 0, 0, .. "IEND"u8, 0xae, 0x42, 0x60, 0x82];
        byte[] png = [0x89, .. "PNG\r\n"u8, 0x1a, 0x0a, 0, 0, 0, 13, .. header, .. checksum, .. end];

        var error = Assert.Throws<InputException>(() => ImageDecoder.Decode(png, "'x.png'"));

        Assert.Equal("'x.png' is 1000000 × 1000000 pixels, more than the 32 million that are read.", error.Message);
    }

    /// <summary>Shares that are rounded up add up to more than one where a box has very many pixels.</summary>
    [Theory]
    [InlineData(1_102_400, 8, 64, 8)]
    [InlineData(32, 1_102_400, 32, 64)]
    [InlineData(8, 1_102_400, 8, 64)]
    public void White_stays_white_however_long_a_side_is(int width, int height, int toWidth, int toHeight)
    {
        var white = new byte[width * height];
        white.AsSpan().Fill(byte.MaxValue);

        var resized = ImageResampler.Resize(new DecodedImage(width, height, 1, white), toWidth, toHeight);

        Assert.DoesNotContain(resized.Pixels, value => value != byte.MaxValue);
    }

    /// <summary>Scans that say nothing cost a pass over all pixels each, and some twenty bytes.</summary>
    [Fact]
    public void A_JPEG_of_very_many_scans_is_refused()
    {
        pillow.SkipWithout();
        var whole = File.ReadAllBytes(Path.Combine(pillow.Folder, "progressive.jpg"));
        var last = whole.AsSpan().LastIndexOf<byte>([0xff, 0xda]);
        byte[] scan = whole[last..^2];
        byte[] many = [.. whole[..last], .. Enumerable.Repeat(scan, 101).SelectMany(bytes => bytes), 0xff, 0xd9];

        var error = Assert.Throws<InputException>(() => ImageDecoder.Decode(many, "'x.jpg'"));

        Assert.Contains("it has more than 100 scans", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A download that broke off, or a copy: no part of it is read as an image.</summary>
    [Fact]
    public void A_file_that_is_cut_off_is_refused()
    {
        pillow.SkipWithout();
        foreach (var file in Directory.GetFiles(pillow.Folder).Where(file => Path.GetExtension(file) is not (".bytes" or ".txt")))
        {
            if (Path.GetFileName(file) == "pages.tif") continue; // only its first picture is read, which is whole before the others
            var whole = File.ReadAllBytes(file);
            for (var percent = 1; percent < 100; percent += 2)
            {
                var part = whole[..(whole.Length * percent / 100)];
                var error = Record.Exception(() => ImageDecoder.Decode(part, "'x'"));
                Assert.True(error is InputException, $"{Path.GetFileName(file)}, {percent} %: {error?.ToString() ?? "was read"}");
            }
            _ = ImageDecoder.Decode([.. whole, .. "some bytes after its end"u8], "'x'");
        }
    }

    /// <summary>ImageSharp makes room for a palette that reaches to where the pixels start. Fuzzing found it.</summary>
    [Theory]
    [InlineData("", "00000000")]
    [InlineData("424128000000000000000000" + "0000", "00000008")] // of OS/2: a list of one picture, whose colours are counted
    public void A_BMP_whose_pixels_start_beyond_its_end_is_refused_before_a_palette_is_made(string list, string colours)
    {
        const string Header = "424d" + "3e000000" + "00000000" + "00000040"; // at 1 GB
        const string Picture = "28000000" + "01000000" + "01000000" + "0100" + "0100"; // 1 × 1 pixel of one bit
        var file = Convert.FromHexString(list + Header + Picture + new string('0', 32) + colours + new string('0', 24));
        var before = GC.GetAllocatedBytesForCurrentThread();

        var error = Assert.Throws<InputException>(() => ImageDecoder.Decode(file, "'x.bmp'"));

        Assert.Equal("'x.bmp' is cut off: its last part is missing. Copy it again.", error.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    /// <summary>Cut anywhere, or with a byte changed, an image decodes or is refused; nothing else happens.</summary>
    [Fact]
    public void Damaged_images_are_refused()
    {
        pillow.SkipWithout();
        var random = new Random(5);
        foreach (var name in new[] { "grey_png.png", "rgb_jpeg.jpg", "lzw.tif", "rgb_webp.webp", "rgb_bmp.bmp" })
        {
            var whole = File.ReadAllBytes(Path.Combine(pillow.Folder, name));
            for (var i = 0; i < 100; i++)
            {
                var damaged = whole.ToArray();
                for (var k = 0; k < 3; k++) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                if (i % 2 == 0) damaged = damaged[..random.Next(damaged.Length)];
                try
                {
                    _ = ImageDecoder.Decode(damaged, name);
                }
                catch (InputException error)
                {
                    Assert.StartsWith(name, error.Message, StringComparison.Ordinal);
                }
            }
        }
    }
}

/// <summary>Images that Pillow wrote, with their pixels as Pillow reads them.</summary>
public sealed class PillowImages() : PythonFiles(
    "check_images.py",
    "PIL, numpy",
    "Pillow is not here (Debian: apt-get install python3-pil python3-numpy).");
