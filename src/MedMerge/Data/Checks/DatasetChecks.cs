using System.Globalization;
using System.IO.Hashing;
using MedMerge.Data.Formats.Images;

namespace MedMerge.Data.Checks;

/// <summary>What is odd about a data set, in a clause each. None of it prevents training; a reader should know it.</summary>
internal static class DatasetChecks
{
    private const int DarkValue = 25; // a tenth of white
    private const double NotableDifference = 10; // of mean brightness, in grey levels
    private const double StandardErrors = 4;

    private static readonly (string First, string Second)[] PairsOfSplits = [("train", "val"), ("train", "test"), ("val", "test")];

    /// <summary>Checks images and labels.</summary>
    public static IReadOnlyList<string> Run(ImageDataset dataset)
    {
        var images = dataset.Splits
            .SelectMany(split => Enumerable.Range(0, split.Split.Count).Select(i => new CheckedImage(
                split.Name,
                split.Split.Labels[i],
                split.Split.GetImage(i))))
            .ToList();
        var copies = images
            .GroupBy(image => XxHash128.HashToUInt128(image.Pixels.Span))
            .Select(group => group.ToList())
            .ToList();
        return
        [
            .. FindConstant(images),
            .. FindDark(images),
            .. FindUnequalBrightness(images),
            .. FindCopies([.. copies.Where(group => group.Count > 1)]),
            .. FindNearCopies(dataset, copies),
        ];
    }

    private static IEnumerable<string> FindConstant(List<CheckedImage> images)
    {
        foreach (var split in images.GroupBy(image => image.Split))
        {
            var count = split.Count(image => image.Pixels.Span.IndexOfAnyExcept(image.Pixels.Span[0]) < 0);
            if (count > 0) yield return $"{CountImages(count)} of {split.Key} {(count == 1 ? "has" : "have")} one value everywhere";
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

    private static IEnumerable<string> FindCopies(List<List<CheckedImage>> copies)
    {
        foreach (var (first, second) in PairsOfSplits)
        {
            var count = copies
                .Where(group => group.Exists(image => image.Split == first))
                .Sum(group => group.Count(image => image.Split == second));
            if (count > 0) yield return $"{CountImages(count)} of {second} {(count == 1 ? "is" : "are")} also in {first}";
        }
        var inTrain = copies.Sum(group => Math.Max(group.Count(image => image.Split == "train") - 1, 0));
        if (inTrain > 0) yield return $"{CountImages(inTrain)} of train {(inTrain == 1 ? "is a copy" : "are copies")} of another there";
        var contradictions = copies.Count(group => group.DistinctBy(image => image.Label).Count() > 1);
        if (contradictions > 0)
            yield return $"{CountImages(contradictions)} {(contradictions == 1 ? "has" : "have")} copies with another label";
    }

    /// <summary>Those beside exact copies, which are in one group.</summary>
    private static IEnumerable<string> FindNearCopies(ImageDataset dataset, List<List<CheckedImage>> copies)
    {
        if (copies.Count > NearCopies.MaxImages)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"near copies were not looked for: that is done for up to {NearCopies.MaxImages:N0} images");
            yield break;
        }
        var fingerprints = new ImageFingerprint?[copies.Count];
        Parallel.For(0, copies.Count, i =>
        {
            var pixels = copies[i][0].Pixels.ToArray();
            fingerprints[i] = ImageFingerprint.Of(new DecodedImage(dataset.Width, dataset.Height, dataset.Channels, pixels));
        });
        var pairs = NearCopies.Find(fingerprints)
            .SelectMany(pair => new[] { pair, (First: pair.Second, Second: pair.First) })
            .SelectMany(pair => copies[pair.First].SelectMany(first => copies[pair.Second].Select(second => (First: first, Second: second))))
            .ToList(); // each in both orders
        foreach (var (first, second) in PairsOfSplits)
        {
            var count = pairs
                .Where(pair => pair.First.Split == first && pair.Second.Split == second)
                .DistinctBy(pair => pair.Second)
                .Count();
            if (count > 0)
                yield return $"{CountImages(count)} of {second} {(count == 1 ? "is a near copy" : "are near copies")} of one in {first}";
        }
        var inTrain = pairs
            .Where(pair => pair.First.Split == "train" && pair.Second.Split == "train")
            .DistinctBy(pair => pair.First)
            .Count();
        if (inTrain > 0) yield return $"{CountImages(inTrain)} of train are near copies of another there";
        var contradictions = pairs.Count(pair => pair.First.Label != pair.Second.Label) / 2;
        if (contradictions > 0)
            yield return $"{contradictions} pair{(contradictions == 1 ? "" : "s")} of near copies {(contradictions == 1 ? "has" : "have")} two labels";
    }

    private static string CountImages(int count) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} image{(count == 1 ? "" : "s")}");

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

    private sealed record CheckedImage(string Split, int Label, ReadOnlyMemory<byte> Pixels);
}
