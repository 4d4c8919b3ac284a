using System.Text.Json.Serialization;
using MedMerge.Data.Formats;

namespace MedMerge.Data;

/// <summary>Where a data set comes from, as a specification names it.</summary>
/// <param name="Location">What <see cref="Format"/> reads; in a frozen specification the packed data set's address.</param>
/// <param name="Classes">The number of classes; null for what the data say.</param>
/// <param name="TrainImages">Keep only that many training images, in equal shares of the classes as far as they go; null keeps all.</param>
/// <param name="ValidationImages">The same for validation images.</param>
internal sealed record DatasetSource(string Location, int? Classes = null, int? TrainImages = null, int? ValidationImages = null)
{
    /// <summary>Its format.</summary>
    [JsonIgnore]
    public IDatasetFormat Format { get; init; } = DatasetFormats.All.Get(Location);

    /// <summary>How its images are brought to one size, and dealt out to splits. Packed data sets were already.</summary>
    [JsonIgnore]
    public ImageSettings Images { get; init; } = new();

    /// <summary>The data set of a location on this machine; a folder needs no slash behind it.</summary>
    public static DatasetSource Find(string location) =>
        new(location.EndsWith('/') || !Directory.Exists(location) ? location : location + '/');

    /// <summary>Reads or draws the data set.</summary>
    /// <param name="read">Reads files.</param>
    /// <exception cref="InputException">It is missing or unusable.</exception>
    public ImageDataset Load(FileReader read)
    {
        var dataset = Format.Load(Location, Classes, Images, read);
        if (TrainImages is null && ValidationImages is null) return dataset;
        var train = TrainImages is { } count ? Subset(dataset, dataset.Train, count, "trainImages") : dataset.Train;
        var validation = ValidationImages is { } limit
            ? Subset(dataset, dataset.Validation, limit, "validationImages")
            : dataset.Validation;
        return new ImageDataset(dataset.Info, train, validation, dataset.Test).Validated(); // few images may all have the same labels
    }

    /// <summary>
    /// The first images of each class, taken in turns, in their old order: the same subset for every seed. With several labels, images
    /// without any have a turn too.
    /// </summary>
    private static ImageSplit Subset(ImageDataset dataset, ImageSplit split, int count, string setting)
    {
        if (count < dataset.Classes || count > split.Count)
        {
            throw new InputException(
                $"{setting} is {count}; data set {dataset.Name} allows {dataset.Classes} (one a class) to {split.Count}.");
        }
        var labels = split.Labels;
        var turns = Enumerable.Range(0, dataset.Classes).Select(label => new Queue<int>(dataset.Find(split, label))).ToList();
        if (dataset.IsMultiLabel) turns.Add(new Queue<int>(Enumerable.Range(0, split.Count).Where(i => labels[i] == 0)));
        var chosen = new SortedSet<int>();
        for (var turn = 0; chosen.Count < count; turn = (turn + 1) % turns.Count)
        {
            while (turns[turn].TryDequeue(out var image) && !chosen.Add(image))
            {
                // It has another label, and was taken with that.
            }
        }
        return split.Choose(chosen);
    }
}
