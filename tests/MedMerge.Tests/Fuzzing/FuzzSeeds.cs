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
        DicomFile.Write("1.2.840.10008.1.2.1", "MONOCHROME2", samples: 1, bits: 12, [.. DicomFile.StartPixels(128), .. Noise(128)]);

    /// <summary>Grey and colours in each transfer syntax that is read.</summary>
    public static IEnumerable<byte[]> Dicoms()
    {
        yield return Dicom();
        byte[] plain = [.. DicomFile.StartPixels(128, isExplicit: false), .. Noise(128)];
        yield return DicomFile.Write("1.2.840.10008.1.2", "MONOCHROME1", samples: 1, bits: 16, plain);
        byte[] colours = [.. DicomFile.StartPixels(192), .. Noise(192)];
        yield return DicomFile.Write("1.2.840.10008.1.2.1", "YBR_FULL", samples: 3, bits: 8, colours);
        byte[] segment = [0xf1, 7, 15, .. Noise(16), 0xe1, 9]; // 16 times a byte, 16 different ones, 32 times another
        var starts = new[] { 2, 64, 64 + segment.Length }.Concat(new int[13]).SelectMany(BitConverter.GetBytes);
        var runs = DicomFile.CompressedPixels([.. starts, .. segment, .. segment]);
        yield return DicomFile.Write("1.2.840.10008.1.2.5", "MONOCHROME2", samples: 1, bits: 16, runs);
        using var image = Image.LoadPixelData<L8>(Noise(64), 8, 8);
        using var file = new MemoryStream();
        image.Save(file, new JpegEncoder());
        var jpeg = DicomFile.CompressedPixels(file.ToArray());
        yield return DicomFile.Write("1.2.840.10008.1.2.4.50", "MONOCHROME2", samples: 1, bits: 8, jpeg);
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
