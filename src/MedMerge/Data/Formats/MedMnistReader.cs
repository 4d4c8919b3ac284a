namespace MedMerge.Data.Formats;

/// <summary>
/// Reads a MedMNIST file (Yang et al. 2023): an .npz with <c>{train,val,test}_images</c> [n, side, side] or [n, side, side, 3] of bytes and
/// <c>{train,val,test}_labels</c> [n, 1], sides from 8 to 1024; MedMNIST's own are 28 to 224.
/// </summary>
internal static class MedMnistReader
{
    private const string ImageHint =
        "images have values from 0 to 255: save them with .astype(np.uint8), " +
        "those from 0 to 1 with (255 * images).round().astype(np.uint8)";

    private const string LabelHint = "labels are classes: save them with .astype(np.int64)";

    /// <summary>Reads and checks the file.</summary>
    /// <param name="classes">The number of classes, or null for the highest training label plus one.</param>
    /// <exception cref="InputException">Missing, torn, of another layout, or with unusable labels; the message names the array.</exception>
    public static ImageDataset Read(string path, int? classes = null) => Read(InputFile.Read(path, ImageDataset.Kind), path, classes);

    /// <inheritdoc cref="Read(string, int?)" />
    public static ImageDataset Read(byte[] file, string path, int? classes)
    {
        var isZip = file.AsSpan().StartsWith("PK"u8);
        if (!isZip) throw new InputException($"'{path}' is {FileContent.Describe(file) ?? "no zip file"}; a data set is an .npz file.");
        try
        {
            using var archive = ZipInput.Open(file);
            return Read(archive, Path.GetFileNameWithoutExtension(path), ContentHash.Of(file), classes);
        }
        catch (Exception error) when (error is FormatException or OverflowException)
        {
            throw new InputException($"'{path}' can't be read as a MedMNIST data set: {error.Message.TrimEnd('.')}.", error);
        }
    }

    private static ImageDataset Read(ZipInput archive, string name, string sha256, int? classes)
    {
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

    private static NpyArray Images(ZipInput archive, string split)
    {
        var images = Array(archive, split + "_images", ImageHint);
        return images is { Type: "uint8", Shape: [_, >= 8 and <= 1024, >= 8 and <= 1024] or [_, >= 8 and <= 1024, >= 8 and <= 1024, 3] }
            ? images
            : throw new FormatException(
                $"{split}_images has shape {Show(images.Shape)} and values of {images.Type}; " +
                "wanted is uint8 of shape [n, height, width] or [n, height, width, 3]");
    }

    private static int[] Labels(ZipInput archive, string split)
    {
        var labels = Array(archive, split + "_labels", LabelHint);
        return labels.Shape is [_] or [_, 1]
            ? labels.ToInt32()
            : throw new FormatException(
                $"{split}_labels has shape {Show(labels.Shape)}: several labels for an image are not supported, one class each is");
    }

    private static string Show(int[] shape) => $"[{string.Join(", ", shape)}]";

    /// <param name="hint">What such an array should be, for the message where it is not.</param>
    private static NpyArray Array(ZipInput archive, string name, string hint)
    {
        var entry = name + ".npy";
        if (!archive.Contains(entry)) throw new FormatException($"it has no array '{name}'");
        try
        {
            var length = archive.ReadStart(entry, start => NpyArray.GetFileLength(start, hint));
            if (archive.LengthOf(entry) != length)
                throw new FormatException($"its header says that it has {length} bytes, and it has {archive.LengthOf(entry)}");
            return NpyArray.Read(new MemoryStream(archive.Read(entry)));
        }
        catch (FormatException error)
        {
            throw new FormatException($"array '{name}': {error.Message}", error);
        }
    }
}
