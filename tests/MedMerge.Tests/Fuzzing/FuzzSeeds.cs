using System.IO.Compression;
using System.Text;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Models.Onnx;
using MedMerge.Tensors;
using MedMerge.Testing;
using MedMerge.Tests.Models;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Tiff;
using SixLabors.ImageSharp.Formats.Tiff.Constants;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.PixelFormats;

namespace MedMerge.Tests.Fuzzing;

/// <summary>Small whole files of every format, which <see cref="Mutator"/> damages.</summary>
internal static class FuzzSeeds
{
    private const int Classes = 2;
    private const double Width = 0.0625;

    private static readonly string[] Splits = ["train", "val", "test"];

    public static IEnumerable<byte[]> Checkpoints() =>
        Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Fixtures"), "*.pt")
            .Where(file => Path.GetFileName(file) is not ("malicious.pt" or "module.pt")) // which are refused
            .Select(File.ReadAllBytes);

    public static byte[] Safetensors()
    {
        using var model = RandomModels.Weights(Architectures.Create("resnet20", Width), 3, Classes);
        return MedMerge.Tensors.Safetensors.Write(model);
    }

    public static byte[] Onnx()
    {
        var network = Architectures.Create("resnet20", Width);
        using var model = RandomModels.Weights(network, 3, Classes);
        return OnnxExport.Write(network, model, size: null, new Dictionary<string, string> { ["x"] = "y" }).ToArray();
    }

    /// <summary>Weights of two models' kernels.</summary>
    public static byte[] KernelWeights()
    {
        var network = Architectures.Create("resnet20", Width);
        using var model = RandomModels.Weights(network, 3, Classes);
        using var target = new StateDict();
        foreach (var norm in network.Norms)
            foreach (var name in new[] { norm.Mean, norm.Variance }) target.Add(name, model[name].clone());
        RandomModels.Head(network, Classes).AddTo(network, target);
        var sources = new[] { new WeightedSource("a", new string('0', 64)), new WeightedSource("b", new string('1', 64)) };
        return new LearnedKernelWeights(sources, "nothing", KernelWeightMatrix.Uniform("resnet20", 2, Width), target.ToFloats()).Write();
    }

    public static byte[] Npz()
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-fuzz-");
        try
        {
            return File.ReadAllBytes(NpzFile.Write(folder.FullName, side: 8, train: 4, validation: 2, test: 2));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    public static IEnumerable<(string Name, byte[] Content)> Images()
    {
        using var image = Image.LoadPixelData<Rgb24>(Noise(3 * 12 * 10), 12, 10);
        (string, IImageEncoder)[] encoders =
        [
            ("a.png", new PngEncoder()),
            ("b.jpg", new JpegEncoder()),
            ("c.bmp", new BmpEncoder()),
            ("d.tif", new TiffEncoder()),
            ("e.webp", new WebpEncoder { FileFormat = WebpFileFormatType.Lossless }),
            ("f.webp", new WebpEncoder { FileFormat = WebpFileFormatType.Lossy }),
            ("g.png", new PngEncoder { BitDepth = PngBitDepth.Bit16 }),
            ("h.png", new PngEncoder { ColorType = PngColorType.Palette, InterlaceMethod = PngInterlaceMode.Adam7 }),
            ("i.tif", new TiffEncoder { Compression = TiffCompression.Lzw }),
        ];
        foreach (var (name, encoder) in encoders)
        {
            using var file = new MemoryStream();
            image.Save(file, encoder);
            yield return (name, file.ToArray());
        }
    }

    public static byte[] Archive(bool hasList)
    {
        var images = Images()
            .SelectMany((image, i) => Splits.Select(split => ($"{split}/{i % 2}/{image.Name}", image.Content)))
            .ToList();
        if (hasList) images.Add(("manifest.csv", Encoding.UTF8.GetBytes(List())));
        return Zip(images);
    }

    public static string List()
    {
        var lines = Images().SelectMany((image, i) =>
            Splits.Select(split => $"{split}/{i % 2}/{image.Name},{i % 2},{split},{split}{i}"));
        return $"path,label,split,patient\n{string.Join('\n', lines)}\n";
    }

    /// <summary>Grey of 12 bits, explicit.</summary>
    public static byte[] Dicom() =>
        DicomFile("1.2.840.10008.1.2.1", "MONOCHROME2", samples: 1, bits: 12, [.. PixelData(128), .. Noise(128)]);

    /// <summary>Grey and colours in each transfer syntax that is read.</summary>
    public static IEnumerable<byte[]> Dicoms()
    {
        yield return Dicom();
        byte[] plain = [.. PixelData(128, isExplicit: false), .. Noise(128)];
        yield return DicomFile("1.2.840.10008.1.2", "MONOCHROME1", samples: 1, bits: 16, plain);
        yield return DicomFile("1.2.840.10008.1.2.1", "YBR_FULL", samples: 3, bits: 8, [.. PixelData(192), .. Noise(192)]);
        byte[] segment = [0xf1, 7, 15, .. Noise(16), 0xe1, 9]; // 16 times a byte, 16 different ones, 32 times another
        var starts = new[] { 2, 64, 64 + segment.Length }.Concat(new int[13]).SelectMany(BitConverter.GetBytes);
        yield return DicomFile("1.2.840.10008.1.2.5", "MONOCHROME2", samples: 1, bits: 16, Fragments([.. starts, .. segment, .. segment]));
        using var image = Image.LoadPixelData<L8>(Noise(64), 8, 8);
        using var file = new MemoryStream();
        image.Save(file, new JpegEncoder());
        byte[] jpeg = [.. file.ToArray(), .. new byte[file.Length % 2]];
        yield return DicomFile("1.2.840.10008.1.2.4.50", "MONOCHROME2", samples: 1, bits: 8, Fragments(jpeg));
    }

    /// <param name="pixels">The element, with its head.</param>
    private static byte[] DicomFile(string syntax, string photometric, int samples, int bits, byte[] pixels)
    {
        var isExplicit = syntax != "1.2.840.10008.1.2";
        return
        [
            .. new byte[128], .. "DICM"u8,
            .. Element(0x0002, 0x0010, "UI", Encoding.ASCII.GetBytes(syntax.PadRight(syntax.Length + (syntax.Length % 2), '\0'))),
            .. Element(0x0028, 0x0002, "US", [(byte)samples, 0], isExplicit),
            .. Element(0x0028, 0x0004, "CS", Encoding.ASCII.GetBytes(photometric.PadRight(12)), isExplicit),
            .. Element(0x0028, 0x0010, "US", [8, 0], isExplicit),
            .. Element(0x0028, 0x0011, "US", [8, 0], isExplicit),
            .. Element(0x0028, 0x0100, "US", [(byte)(bits > 8 ? 16 : 8), 0], isExplicit),
            .. Element(0x0028, 0x0101, "US", [(byte)bits, 0], isExplicit),
            .. Element(0x0028, 0x0102, "US", [(byte)(bits - 1), 0], isExplicit),
            .. Element(0x0028, 0x0103, "US", [0, 0], isExplicit),
            .. Element(0x0028, 0x1050, "DS", "2000"u8, isExplicit),
            .. Element(0x0028, 0x1051, "DS", "1500"u8, isExplicit),
            .. pixels,
        ];
    }

    /// <summary>The head of the pixels' element.</summary>
    private static byte[] PixelData(int length, bool isExplicit = true)
    {
        byte[] type = isExplicit ? [.. "OW"u8, 0, 0] : [];
        return [0xe0, 0x7f, 0x10, 0, .. type, .. BitConverter.GetBytes(length)];
    }

    /// <summary>Compressed pixels: a table of offsets, which is empty, and one fragment.</summary>
    private static byte[] Fragments(byte[] content)
    {
        byte[] item = [0xfe, 0xff, 0x00, 0xe0];
        byte[] end = [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0];
        return [.. PixelData(-1), .. item, 0, 0, 0, 0, .. item, .. BitConverter.GetBytes(content.Length), .. content, .. end];
    }

    private static byte[] Element(int group, int number, string type, ReadOnlySpan<byte> value, bool isExplicit = true)
    {
        byte[] tag = [(byte)group, (byte)(group >> 8), (byte)number, (byte)(number >> 8)];
        byte[] head = isExplicit ? [.. Encoding.ASCII.GetBytes(type), (byte)value.Length, 0] : [(byte)value.Length, 0, 0, 0];
        return [.. tag, .. head, .. value];
    }

    private static byte[] Zip(params IReadOnlyList<(string Name, byte[] Content)> entries)
    {
        using var file = new MemoryStream();
        using (var archive = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in entries)
            {
                using var entry = archive.CreateEntry(name).Open();
                entry.Write(content);
            }
        }
        return file.ToArray();
    }

    private static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }
}
