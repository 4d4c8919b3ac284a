using System.IO.Compression;
using System.IO.Hashing;

namespace MedMerge.Data.Formats;

/// <summary>
/// Reads a MedMNIST file (Yang et al. 2023): an .npz with <c>{train,val,test}_images</c> [n, side, side] or [n, side, side, 3] of bytes and
/// <c>{train,val,test}_labels</c> [n, 1], sides from 8 to 1024; MedMNIST's own are 28 to 224.
/// </summary>
internal static class MedMnistReader
{
    /// <summary>Reads and checks the file.</summary>
    /// <param name="classes">The number of classes, or null for the highest training label plus one.</param>
    /// <exception cref="InputException">Missing, torn, of another layout, or with unusable labels; the message names the array.</exception>
    public static ImageDataset Read(string path, int? classes = null) => Read(InputFile.Read(path, ImageDataset.Kind), path, classes);

    /// <inheritdoc cref="Read(string, int?)" />
    public static ImageDataset Read(byte[] file, string path, int? classes)
    {
        try
        {
            using var content = new MemoryStream(file);
            return Read(content, Path.GetFileNameWithoutExtension(path), ContentHash.Of(file), classes);
        }
        catch (Exception error) when (error is FormatException or InvalidDataException or OverflowException)
        {
            throw new InputException($"'{path}' can't be read as a MedMNIST data set: {error.Message.TrimEnd('.')}.", error);
        }
    }

    private static ImageDataset Read(Stream file, string name, string sha256, int? classes)
    {
        using var archive = new ZipArchive(file, ZipArchiveMode.Read);
        var train = Images(archive, "train");
        var validation = Images(archive, "val");
        var test = Images(archive, "test");
        foreach (var other in new[] { validation, test })
        {
            if (!other.Shape.AsSpan(1).SequenceEqual(train.Shape.AsSpan(1)))
            {
                throw new FormatException(
                    $"its images differ in shape: train {Show(train.Shape)}, another split {Show(other.Shape)}");
            }
        }
        var trainLabels = Labels(archive, "train");
        var count = classes ?? (trainLabels.Length == 0 ? 0 : trainLabels.Max() + 1);
        var info = new DatasetInfo
        {
            Name = name,
            Height = train.Shape[1],
            Width = train.Shape[2],
            Channels = train.Shape.Length == 4 ? 3 : 1,
            Classes = count,
            Provenance = new Provenance("MedMNIST .npz", sha256),
        };
        var dataset = new ImageDataset(
            info,
            new ImageSplit(train.Data, trainLabels),
            new ImageSplit(validation.Data, Labels(archive, "val")),
            new ImageSplit(test.Data, Labels(archive, "test")));
        return dataset.Validated();
    }

    private static NpyArray Images(ZipArchive archive, string split)
    {
        var images = Array(archive, split + "_images");
        return images is { Type: "uint8", Shape: [_, >= 8 and <= 1024, >= 8 and <= 1024] or [_, >= 8 and <= 1024, >= 8 and <= 1024, 3] }
            ? images
            : throw new FormatException(
                $"{split}_images has shape {Show(images.Shape)} and values of {images.Type}; " +
                "wanted is uint8 of shape [n, height, width] or [n, height, width, 3]");
    }

    private static int[] Labels(ZipArchive archive, string split)
    {
        var labels = Array(archive, split + "_labels");
        return labels.Shape is [_] or [_, 1]
            ? labels.ToInt32()
            : throw new FormatException(
                $"{split}_labels has shape {Show(labels.Shape)}: several labels for an image are not supported, one class each is");
    }

    private static string Show(int[] shape) => $"[{string.Join(", ", shape)}]";

    private static NpyArray Array(ZipArchive archive, string name)
    {
        var entry = archive.GetEntry(name + ".npy") ?? throw new FormatException($"it has no array '{name}'");
        try
        {
            using var stream = new MemoryStream();
            using (var content = entry.Open()) content.CopyTo(stream);
            if (Crc32.HashToUInt32(stream.GetBuffer().AsSpan(0, (int)stream.Length)) != entry.Crc32)
                throw new FormatException("it is damaged: its checksum differs (CRC-32)");
            stream.Position = 0;
            return NpyArray.Read(stream);
        }
        catch (FormatException error)
        {
            throw new FormatException($"array '{name}': {error.Message}", error);
        }
    }
}
