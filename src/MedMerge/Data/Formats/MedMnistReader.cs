namespace MedMerge.Data.Formats;

/// <summary>
/// Reads a MedMNIST file (Yang et al. 2023): an .npz with <c>{train,val,test}_images</c> [n, side, side] or [n, side, side, 3] of bytes and
/// <c>{train,val,test}_labels</c> [n, 1], or [n, labels] of 0 and 1 where an image may have several; sides from 8 to 1024, MedMNIST's own
/// are 28 to 224.
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
        var (trainLabels, labels) = Labels(archive, "train");
        if (labels is not null && classes is not null && classes != labels)
            throw new FormatException($"'classes' is {classes}, and its images have {labels} labels each");
        var count = labels ?? classes ?? (trainLabels.Length == 0 ? 0 : trainLabels.Max() + 1);
        var info = new DatasetInfo
        {
            Name = name,
            Height = train.Shape[1],
            Width = train.Shape[2],
            Channels = train.Shape.Length == 4 ? 3 : 1,
            Classes = count,
            IsMultiLabel = labels is not null,
            Provenance = new Provenance("MedMNIST .npz", sha256),
        };
        var dataset = new ImageDataset(
            info,
            new ImageSplit(train.Data, trainLabels),
            new ImageSplit(validation.Data, Others("val")),
            new ImageSplit(test.Data, Others("test")));
        return dataset.Validated();

        int[] Others(string split)
        {
            var (values, others) = Labels(archive, split);
            return others == labels
                ? values
                : throw new FormatException($"an image has {Describe(labels)} in train, and {Describe(others)} in {split}");
        }

        static string Describe(int? labels) => labels is null ? "one label" : $"{labels} labels";
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

    /// <returns>As <see cref="LabelSet"/> has them, and how many labels an image may have; null where it has one class.</returns>
    private static (int[] Labels, int? Several) Labels(ZipInput archive, string split)
    {
        var labels = Array(archive, split + "_labels", LabelHint);
        if (labels.Shape is [_] or [_, 1]) return (labels.ToInt32(), null);
        if (labels.Shape is not [var images, > 1 and <= LabelSet.MaxLabels and var several])
        {
            throw new FormatException(
                $"{split}_labels has shape {Show(labels.Shape)}; wanted is [n] or [n, 1], or [n, labels] with up to " +
                $"{LabelSet.MaxLabels} labels");
        }
        var values = labels.ToInt32();
        if (System.Array.Exists(values, value => value is not (0 or 1)))
            throw new FormatException($"{split}_labels has several columns, and values other than 0 and 1 in them");
        var sets = new int[images];
        for (var i = 0; i < values.Length; i++) sets[i / several] |= values[i] << (i % several);
        return (sets, several);
    }

    private static string Show(int[] shape) => $"[{string.Join(", ", shape)}]";

    /// <param name="hint">What such an array should be, for the message where it is not.</param>
    private static NpyArray Array(ZipInput archive, string name, string hint)
    {
        var entry = name + ".npy";
        if (!archive.Contains(entry)) throw new FormatException($"it has no array '{name}'");
        try
        {
            return NpyArray.Read(archive, entry, hint);
        }
        catch (FormatException error)
        {
            throw new FormatException($"array '{name}': {error.Message}", error);
        }
    }
}
