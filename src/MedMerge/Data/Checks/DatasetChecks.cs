using System.Globalization;

namespace MedMerge.Data.Checks;

/// <summary>What is odd about a data set, in a clause each. None of it prevents training; a reader should know it.</summary>
internal static class DatasetChecks
{
    private const int DarkValue = 25; // a tenth of white
    private const double NotableDifference = 10; // of mean brightness, in grey levels
    private const double StandardErrors = 4;

    /// <summary>Checks images and labels.</summary>
    public static IReadOnlyList<DataNote> Run(ImageDataset dataset)
    {
        var images = dataset.Splits.SelectMany(split => CheckedImage.Of(split.Name, split.Split)).ToList();
        return
        [
            .. NoteLabels(dataset).Select(text => new DataNote(text)),
            .. FindConstant(images).Concat(FindDark(images)).Concat(FindUnequalBrightness(images)).Select(text => new DataNote(text)),
            .. CopyChecks.Within(dataset, images),
        ];
    }

    private static IEnumerable<string> NoteLabels(ImageDataset dataset)
    {
        if (dataset.Train.Weights is { } weights)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"training images count by weights from {weights.Min()} to {weights.Max()}, {weights.Average():0.###} on average");
        }
        var haveOne = dataset.IsMultiLabel && dataset.Splits.All(split => Array.TrueForAll(split.Split.Labels, int.IsPow2));
        if (haveOne)
        {
            yield return "every image has exactly one label: if labels exclude each other they are classes, and are better given as one " +
                         "number an image";
        }
    }

    private static IEnumerable<string> FindConstant(List<CheckedImage> images)
    {
        foreach (var split in images.GroupBy(image => image.Split))
        {
            var count = split.Count(image => image.IsConstant);
            if (count > 0) yield return $"{CheckedImage.Count(count)} of {split.Key} {(count == 1 ? "has" : "have")} one value everywhere";
        }
    }

    private static IEnumerable<string> FindDark(List<CheckedImage> images)
    {
        var isDark = images.TrueForAll(image => image.Pixels.Span.IndexOfAnyExceptInRange((byte)0, (byte)DarkValue) < 0);
        if (isDark)
            yield return $"no value is above {DarkValue} of 255: do the images have 12 bits in 16, or values that were scaled?";
    }

    private static IEnumerable<string> FindUnequalBrightness(List<CheckedImage> images)
    {
        var splits = images
            .GroupBy(image => image.Split)
            .Select(split => (split.Key, Values: split.Select(GetBrightness).ToList()))
            .ToList();
        var (_, train) = splits[0];
        foreach (var (name, values) in splits.Skip(1))
        {
            var difference = values.Average() - train.Average();
            var error = Math.Sqrt((Variance(values) / values.Count) + (Variance(train) / train.Count));
            if (Math.Abs(difference) < NotableDifference || Math.Abs(difference) < StandardErrors * error) continue;
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"images of {name} are {(difference < 0 ? "darker" : "brighter")} than those of train: " +
                $"{values.Average():0} against {train.Average():0} of 255 on average");
        }
    }

    private static double GetBrightness(CheckedImage image)
    {
        var sum = 0L;
        foreach (var value in image.Pixels.Span) sum += value;
        return (double)sum / image.Pixels.Length;
    }

    /// <summary>The sample variance; a split has at least two images.</summary>
    private static double Variance(List<double> values)
    {
        var mean = values.Average();
        return values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1);
    }
}
