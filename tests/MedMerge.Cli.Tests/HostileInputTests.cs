using System.IO.Compression;
using System.Text;
using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Testing;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace MedMerge.Cli.Tests;

/// <summary>
/// Files that are damaged, lie, or are something else: one message that says what they are, exit code 2, little memory, and nothing
/// written.
/// </summary>
public sealed class HostileInputTests : IDisposable
{
    private const long MaxMemory = 512_000_000;
    private const string Terapixel = "terapixel.png", Large = "large.png";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-hostile-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("torn.npz", "torn.npz' can't be read as a MedMNIST data set: its zip directory is damaged or truncated")]
    [InlineData("bomb.npz", "bomb.npz' can't be read as a MedMNIST data set: its entry 'train_images.npy' would be 100 MiB from 99 KiB")]
    [InlineData("page.npz", "page.npz' is a web page: the download gave a page in place of the file; a data set is an .npz file.")]
    [InlineData("pointer.npz", "pointer.npz' is a Git LFS pointer in place of the file: get the file with 'git lfs pull'")]
    [InlineData("table.npz", "table.npz' is an HDF5 file, as Keras and h5py write it; a data set is an .npz file.")]
    [InlineData("torn.zip", "torn.zip' can't be read as a zip archive of images: its zip directory is damaged or truncated")]
    [InlineData("torn.packed", "torn.packed' can't be read: it is truncated.")]
    [InlineData("binary.csv", "binary.csv' is no text; a list of images is a CSV file.")]
    [InlineData("pointer.csv", "pointer.csv' is a Git LFS pointer in place of the file: get the file with 'git lfs pull'")]
    [InlineData("torn.csv", "can't be read as a DICOM file: it is cut off.")]
    [InlineData("other.csv", "can't be read as a DICOM file: its JPEG has 64 × 64 pixels instead of 8 × 8.")]
    [InlineData("terapixel.csv", "is 1000000 × 1000000 pixels, more than the 32 million that are read.")]
    [InlineData("large.csv", "can't be read as an image; is it damaged?")]
    public async Task A_data_set_is_refused(string file, string message)
    {
        Write(file);
        var size = file.EndsWith("csv", StringComparison.Ordinal) ? ", size: 16" : "";
        await CheckRefusedAsync(
            new SpecificationBuilder().Yaml.Replace("'phantom:lesions', trainImages: 24", file + size, StringComparison.Ordinal),
            message);
    }

    /// <summary>A PNG of a few pixels with a gigabyte of text in a megabyte: no pixel depends on it, and it is not unpacked.</summary>
    [Fact]
    public async Task Texts_in_a_picture_take_no_memory()
    {
        var text = new byte[1 << 20];
        using var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
            for (var i = 0; i < 1 << 10; i++) zlib.Write(text);
        var picture = Png(64, 64, rows: 64);
        byte[] chunk = Chunk("zTXt", [.. "Comment"u8, 0, 0, .. compressed.ToArray()]);
        const int afterHeader = 8 + 25;
        List("list.csv", "text.png", [.. picture[..afterHeader], .. chunk, .. picture[afterHeader..]]);

        var (peak, _) = await MeasuredRun.RunAsync(_folder, ["data", "show", "list.csv", "--set", "size=16"]);

        Assert.InRange(peak, 1, MaxMemory);
    }

    [Fact]
    public async Task An_image_as_large_as_is_read_takes_no_more_memory()
    {
        List("list.csv", Large, Png(8_000, 4_000, rows: 4_000));

        var (peak, _) = await MeasuredRun.RunAsync(_folder, ["data", "show", "list.csv", "--set", "size=16"]);

        Assert.InRange(peak, 1, MaxMemory);
    }

    [Theory]
    [InlineData("header.safetensors", "is not a valid safetensors file: its first 8 bytes are not the length of a header")]
    [InlineData("overlap.safetensors", "is not a valid safetensors file: tensor 'b' overlaps another.")]
    [InlineData("overflow.safetensors", "is not a valid safetensors file: tensor 'a' of shape [4294967296, 4294967296] has more")]
    [InlineData("torn.pth", "can't be read as a PyTorch checkpoint: its zip directory is damaged or truncated")]
    [InlineData("call.pth", "is not a resnet20 (width 0.125): it has no 'conv1.weight'")] // what it calls is not called
    [InlineData("page.onnx", "is a web page: the download gave a page in place of the file; a weight file is a safetensors file")]
    [InlineData("torn.onnx", "can't be read as an ONNX model: it is damaged or truncated")]
    public async Task A_weight_file_is_refused(string file, string message)
    {
        Write(file);
        const string pretrain = "pretrain: { data: 'phantom:vessels', trainImages: 24, epochs: 1 }";
        await CheckRefusedAsync(
            new SpecificationBuilder().Yaml.Replace(pretrain, $"weights: {file}", StringComparison.Ordinal),
            $"{file}') {message}");
    }

    /// <summary>Each level ten times the one before: a billion in all.</summary>
    [Fact]
    public async Task Aliases_without_end_are_refused()
    {
        var levels = Enumerable.Range(1, 9)
            .Select(level => $"l{level}: &l{level} [{string.Join(", ", Enumerable.Repeat($"*l{level - 1}", 10))}]");
        await CheckRefusedAsync($"l0: &l0 [a]\n{string.Join('\n', levels)}\nname: *l9\n", "the key 'target' is missing");
    }

    private async Task CheckRefusedAsync(string yaml, string message)
    {
        File.WriteAllText(In("spec.yaml"), yaml);
        var before = Directory.GetFileSystemEntries(_folder).Order().ToList();

        string[] command = ["run", "spec.yaml", "--store", "store", "--output", "out"];
        var (code, peak, output, error) = await MeasuredRun.MeasureAsync(_folder, command)
            .WaitAsync(Deadline, TestContext.Current.CancellationToken);

        Assert.True(code == ExitCodes.BadInput, $"{code}: {output}{error}");
        Assert.True(error.Contains(message, StringComparison.Ordinal), error);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal); // no stack
        Assert.InRange(peak, 1, MaxMemory);
        Assert.Equal(before, Directory.GetFileSystemEntries(_folder).Order());
    }

    private string In(string name) => Path.Combine(_folder, name);

    private void Write(string file)
    {
        switch (file)
        {
            case "torn.npz": File.WriteAllBytes(In(file), Half(WriteNpz())); break;
            case "torn.packed": File.WriteAllBytes(In(file), Half(Pack())); break;
            case "bomb.npz": Zip(file, ("train_images.npy", new byte[100 << 20])); break;
            case "torn.zip":
                Zip(file, [.. Enumerable.Range(0, 20).Select(i => ($"train/{i % 2}/{i}.png", Encoding.ASCII.GetBytes($"picture {i}")))]);
                File.WriteAllBytes(In(file), Half(File.ReadAllBytes(In(file))));
                break;
            case "page.npz" or "page.onnx": File.WriteAllText(In(file), "<!DOCTYPE html><html><body>404</body></html>"); break;
            case "pointer.npz" or "pointer.csv":
                File.WriteAllText(In(file), "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
                break;
            case "table.npz": File.WriteAllBytes(In(file), [0x89, .. "HDF\r\n"u8, 0x1a, (byte)'\n', .. new byte[64]]); break;
            case "binary.csv": File.WriteAllBytes(In(file), [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 7))]); break;
            case "torn.csv": List(file, "torn.dcm", [.. new byte[128], .. "DICM"u8, 2, 0, 0x10, 0, (byte)'U', (byte)'I', 200, 0]); break;
            case "other.csv":
                var pixels = DicomFile.CompressedPixels(Jpeg(64));
                List(file, "other.dcm", DicomFile.Write("1.2.840.10008.1.2.4.50", "MONOCHROME2", samples: 1, bits: 8, pixels));
                break;
            case "terapixel.csv": List(file, Terapixel, Png(1_000_000, 1_000_000, rows: 1)); break;
            case "large.csv": List(file, Large, Png(8_000, 4_000, rows: 4_000, isDamaged: true)); break; // as large as is read
            case "header.safetensors": File.WriteAllBytes(In(file), [.. BitConverter.GetBytes(1L << 60), .. "{}"u8]); break;
            case "overlap.safetensors":
                Safetensors(file, ("a", "[4]", "[0,16]"), ("b", "[4]", "[8,24]"));
                break;
            case "overflow.safetensors": Safetensors(file, ("a", "[4294967296,4294967296]", "[0,24]")); break;
            case "torn.pth": File.WriteAllBytes(In(file), Half(Checkpoint("new.pt"))); break;
            case "call.pth": File.WriteAllBytes(In(file), Checkpoint("malicious.pt")); break;
            case "torn.onnx": File.WriteAllBytes(In(file), [8, 7, 0x3a, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3]); break;
            default: throw new ArgumentOutOfRangeException(nameof(file), file, "not known");
        }
    }

    private static byte[] Half(byte[] file) => file[..(file.Length / 2)];

    private static byte[] WriteNpz()
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-npz-");
        try
        {
            return File.ReadAllBytes(NpzFile.Write(folder.FullName));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static byte[] Pack() => PackedDataset.Write(Phantoms.Create("cells", side: 16, train: 16, validation: 8, test: 8));

    private static byte[] Checkpoint(string name) =>
        File.ReadAllBytes(Path.Combine(Repository.Root, "tests", "MedMerge.Tests", "Fixtures", name));

    private void Safetensors(string file, params IEnumerable<(string Name, string Shape, string Range)> tensors)
    {
        var entries = tensors.Select(its => $$"""
            "{{its.Name}}":{"dtype":"F32","shape":{{its.Shape}},"data_offsets":{{its.Range}}}
            """);
        var header = Encoding.ASCII.GetBytes($"{{{string.Join(',', entries)}}}");
        File.WriteAllBytes(In(file), [.. BitConverter.GetBytes((long)header.Length), .. header, .. new byte[24]]);
    }

    private void Zip(string file, params ReadOnlySpan<(string Name, byte[] Content)> entries)
    {
        using var archive = ZipFile.Open(In(file), ZipArchiveMode.Create);
        foreach (var (name, content) in entries)
        {
            using var entry = archive.CreateEntry(name).Open();
            entry.Write(content);
        }
    }

    /// <summary>A list of one image twenty times, so that there are classes and splits.</summary>
    private void List(string file, string image, byte[] content)
    {
        File.WriteAllBytes(In(image), content);
        var others = Enumerable.Range(0, 20).Select(i => $"{i}.png").ToList();
        foreach (var other in others) File.WriteAllBytes(In(other), Png(16, 16, rows: 16));
        var lines = others.Select((other, i) => $"{other},{i % 2}");
        File.WriteAllText(In(file), $"image,label\n{image},0\n{string.Join('\n', lines)}\n");
    }

    private static byte[] Jpeg(int side)
    {
        using var image = new Image<L8>(side, side);
        using var file = new MemoryStream();
        image.SaveAsJpeg(file);
        return file.ToArray();
    }

    /// <summary>A PNG of 16 bits a colour.</summary>
    /// <param name="isDamaged">At its end, so that most of it is decoded before that is seen.</param>
    private static byte[] Png(int width, int height, int rows, bool isDamaged = false)
    {
        using var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var row = new byte[1 + (6 * Math.Min(width, 8_000))];
            for (var i = 1; i < row.Length; i++) row[i] = (byte)(i * 5);
            for (var y = 0; y < rows; y++) zlib.Write(row);
        }
        var content = compressed.ToArray();
        var last = Chunk("IDAT", content[^10..]);
        if (isDamaged) last[^1] ^= 1;
        byte[] size = [.. BitConverter.GetBytes(width).Reverse(), .. BitConverter.GetBytes(height).Reverse()];
        return
        [
            0x89, .. "PNG\r\n"u8, 0x1a, 0x0a,
            .. Chunk("IHDR", [.. size, 16, 2, 0, 0, 0]), .. Chunk("IDAT", content[..^10]), .. last, .. Chunk("IEND", []),
        ];
    }

    private static byte[] Chunk(string kind, byte[] content)
    {
        byte[] named = [.. Encoding.ASCII.GetBytes(kind), .. content];
        byte[] checksum = [.. System.IO.Hashing.Crc32.Hash(named).Reverse()];
        return [.. BitConverter.GetBytes(content.Length).Reverse(), .. named, .. checksum];
    }
}
