using MedMerge.Data.Formats.Images;
using MedMerge.Tests.Fuzzing;

namespace MedMerge.Tests.Data.Formats;

/// <summary>DICOM files give the pixels that pydicom reads; those of other kinds are refused by name.</summary>
public sealed class DicomTests(DicomFiles files) : IClassFixture<DicomFiles>
{
    [Fact]
    public void Every_kind_reads_as_with_pydicom()
    {
        files.SkipWithout();
        var found = Directory.GetFiles(files.Folder, "*.dcm");
        Assert.Equal(19, found.Length);
        foreach (var file in found)
        {
            var image = ImageDecoder.Decode(File.ReadAllBytes(file), file);

            var expected = File.ReadAllBytes(Path.ChangeExtension(file, ".bytes"));
            Assert.True((52, 37) == (image.Width, image.Height), file);
            Assert.True(expected.Length == image.Pixels.Length, $"{file}: {image.Channels} channels");
            var difference = expected.Zip(image.Pixels, (a, b) => Math.Abs(a - b)).Max();
            Assert.True(difference == 0, $"{file}: {difference}");
        }
    }

    [Theory]
    [InlineData("frames.refused", "it has 2 frames")]
    [InlineData("jpeg2000.refused", "its transfer syntax is lossless JPEG 2000 (1.2.840.10008.1.2.4.90)")]
    public void What_is_not_read_is_named(string name, string message)
    {
        files.SkipWithout();

        var file = File.ReadAllBytes(Path.Combine(files.Folder, name));
        var error = Assert.Throws<InputException>(() => ImageDecoder.Decode(file, "'x.dcm'"));

        Assert.StartsWith($"'x.dcm' can't be read as a DICOM file: {message}", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A file within a file, and another in that, would be read to any depth.</summary>
    [Fact]
    public void Only_JPEG_is_read_where_it_says_that_it_is_JPEG()
    {
        files.SkipWithout();
        var file = File.ReadAllBytes(Path.Combine(files.Folder, "jpeg_grey.dcm"));
        var start = file.AsSpan().IndexOf<byte>([0xff, 0xd8, 0xff]);
        FuzzSeeds.Dicom().AsSpan(0, 140).CopyTo(file.AsSpan(start));

        var error = Assert.Throws<InputException>(() => ImageDecoder.Decode(file, "'x.dcm'"));

        Assert.StartsWith("'x.dcm' can't be read as a DICOM file: its pixels are no JPEG", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A sequence whose kind is not known is written implicitly (PS3.5, 6.2.2), and so is what it holds, however deep.</summary>
    [Fact]
    public void Unknown_sequences_are_passed_over()
    {
        var file = FuzzSeeds.Dicom();
        const int MetaEnd = 160;
        byte[] itemStart = [0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff];
        byte[] itemEnd = [0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0];
        byte[] sequenceEnd = [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0];
        byte[] innermost = [0x09, 0, 0x03, 0x10, 2, 0, 0, 0, (byte)'A', (byte)'B'];
        byte[] inner = [0x09, 0, 0x02, 0x10, 0xff, 0xff, 0xff, 0xff, .. itemStart, .. innermost, .. itemEnd, .. sequenceEnd];
        byte[] outer = [0x09, 0, 0x01, 0x10, .. "UN\0\0"u8, 0xff, 0xff, 0xff, 0xff, .. itemStart, .. inner, .. itemEnd, .. sequenceEnd];

        var image = ImageDecoder.Decode([.. file[..MetaEnd], .. outer, .. file[MetaEnd..]], "'x.dcm'");

        Assert.Equal(ImageDecoder.Decode(file, "'x.dcm'").Pixels, image.Pixels);
    }

    /// <summary>Cut anywhere, a file is refused; with bytes changed, it is refused or read, and nothing else happens.</summary>
    [Fact]
    public void Damaged_files_are_refused()
    {
        files.SkipWithout();
        var random = new Random(9);
        foreach (var file in Directory.GetFiles(files.Folder, "*.dcm"))
        {
            var whole = File.ReadAllBytes(file);
            for (var i = 0; i < 60; i++)
            {
                var part = whole[..random.Next(132, whole.Length - 1)];
                Assert.Throws<InputException>(() => ImageDecoder.Decode(part, "'x.dcm'"));

                var changed = whole.ToArray();
                for (var k = 0; k < 4; k++) changed[random.Next(132, Math.Min(whole.Length, 1400))] = (byte)random.Next(256);
                var error = Record.Exception(() => ImageDecoder.Decode(changed, "'x.dcm'"));
                Assert.True(error is null or InputException, $"{file}: {error}");
            }
        }
    }
}

/// <summary>Files that pydicom wrote, with their pixels as pydicom reads them.</summary>
public sealed class DicomFiles() : PythonFiles(
    "check_dicom.py",
    "pydicom, PIL, numpy",
    "pydicom is not here (Debian: apt-get install python3-pydicom python3-pil python3-numpy).");
