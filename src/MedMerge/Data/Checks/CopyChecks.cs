using System.Globalization;
using System.IO.Hashing;
using MedMerge.Data.Formats.Images;

namespace MedMerge.Data.Checks;

/// <summary>Notes on images that are in a data set twice, or in two data sets of which one should not have seen the other's.</summary>
internal static class CopyChecks
{
    private static readonly (string First, string Second)[] PairsOfSplits = [("train", "val"), ("train", "test"), ("val", "test")];

    /// <summary>Copies within a data set: exact ones by their bytes, then near ones.</summary>
    public static IEnumerable<DataNote> Within(ImageDataset dataset, IReadOnlyList<CheckedImage> images)
    {
        var copies = images
            .GroupBy(Hash)
            .Select(group => group.ToList())
            .ToList();
        return NoteCopies([.. copies.Where(group => group.Count > 1)]).Concat(NoteNearCopies(dataset, copies));
    }

    /// <summary>Images of a target's validation and test splits of which a model has learned copies, exact or near, elsewhere.</summary>
    /// <param name="trained">What the model was trained on.</param>
    public static IEnumerable<DataNote> Between(ImageDataset trained, ImageDataset target)
    {
        var seen = CheckedImage.Of("train", trained.Train).ToList();
        var learned = Describe(trained, seen);
        HashSet<UInt128> hashes = [.. seen.Select(Hash)];
        foreach (var (name, split) in target.Splits.Where(split => split.Split != target.Train))
        {
            var images = CheckedImage.Of(name, split).ToList();
            int[] own = [.. Enumerable.Range(learned.Length, images.Count)];
            var sought = Sample(learned.Length + images.Count, own) ?? own;
            int[] among = [.. Enumerable.Range(0, learned.Length)];
            var near = NearCopies.Find([.. learned, .. Describe(target, images)], sought, among)
                .Select(pair => pair.Second - learned.Length);
            var exact = Enumerable.Range(0, images.Count).Where(i => !images[i].IsConstant && hashes.Contains(Hash(images[i])));
            var count = near.Union(exact).Count();
            var verb = Verb(count, "is a copy of one", "are copies of ones");
            if (count > 0)
                yield return new DataNote($"{CheckedImage.Count(count)} of {name} {verb} that the source has learned", IsLeak: true);
            if (sought.Count < own.Length) yield return NoteSample(sought.Count, own.Length, name);
        }
    }

    /// <summary>Which of the images in question are sought; null where there are few enough to compare all with all.</summary>
    /// <param name="all">The number of images among which they are sought.</param>
    /// <param name="inQuestion">Positions among these.</param>
    private static IReadOnlyCollection<int>? Sample(int all, int[] inQuestion)
    {
        if (all <= NearCopies.MaxImages) return null;
        var shuffled = inQuestion.ToArray();
        new Random(0).Shuffle(shuffled); // the same ones every time
        return [.. shuffled.Take(NearCopies.GetSampleSize(all)).Order()];
    }

    /// <summary>Where not all were looked for, a model may be trained on copies of the others.</summary>
    private static DataNote NoteSample(int count, int all, string split)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"these are more than {NearCopies.MaxImages:N0} images: near copies were looked for of {count:N0} of {all:N0} of {split}");
        return new DataNote(text, IsLeak: count < all);
    }

    private static UInt128 Hash(CheckedImage image) => XxHash128.HashToUInt128(image.Pixels.Span);

    private static IEnumerable<DataNote> NoteCopies(List<List<CheckedImage>> copies)
    {
        foreach (var (first, second) in PairsOfSplits)
        {
            var count = copies
                .Where(group => group.Exists(image => image.Split == first))
                .Sum(group => group.Count(image => image.Split == second));
            var verb = Verb(count, "is", "are");
            if (count > 0) yield return new DataNote($"{CheckedImage.Count(count)} of {second} {verb} also in {first}", IsTrained(first));
        }
        var inTrain = copies.Sum(group => Math.Max(group.Count(image => image.Split == "train") - 1, 0));
        var are = Verb(inTrain, "is a copy", "are copies");
        if (inTrain > 0) yield return new DataNote($"{CheckedImage.Count(inTrain)} of train {are} of another there");
        var contradictions = copies.Count(group => group.DistinctBy(image => image.Label).Count() > 1);
        var have = Verb(contradictions, "has", "have");
        if (contradictions > 0) yield return new DataNote($"{CheckedImage.Count(contradictions)} {have} copies with another label");
    }

    /// <param name="copies">Groups of exact copies, most of them of one image.</param>
    private static IEnumerable<DataNote> NoteNearCopies(ImageDataset dataset, List<List<CheckedImage>> copies)
    {
        int[] tested = [.. Enumerable.Range(0, copies.Count).Where(i => copies[i].Exists(image => !IsTrained(image.Split)))];
        var sought = Sample(copies.Count, tested);
        var pairs = NearCopies.Find(Describe(dataset, copies.Select(group => group[0])), sought)
            .SelectMany(pair => new[] { pair, (First: pair.Second, Second: pair.First) })
            .SelectMany(pair =>
                from first in copies[pair.First]
                from second in copies[pair.Second]
                select (First: first, Second: second))
            .ToList(); // each in both orders
        foreach (var (first, second) in PairsOfSplits)
        {
            var count = CountSecond(first, second);
            var verb = Verb(count, "is a near copy", "are near copies");
            if (count > 0) yield return new DataNote($"{CheckedImage.Count(count)} of {second} {verb} of one in {first}", IsTrained(first));
        }
        var inTrain = CountSecond("train", "train");
        if (inTrain > 0) yield return new DataNote($"{CheckedImage.Count(inTrain)} of train are near copies of another there");
        var contradictions = pairs.Count(pair => pair.First.Label != pair.Second.Label) / 2;
        var have = Verb(contradictions, "pair of near copies has", "pairs of near copies have");
        if (contradictions > 0) yield return new DataNote($"{contradictions} {have} two labels");
        if (sought is not null) yield return NoteSample(sought.Count, tested.Length, "val and test, not within train");

        int CountSecond(string first, string second) => pairs
            .Where(pair => pair.First.Split == first && pair.Second.Split == second)
            .DistinctBy(pair => pair.Second)
            .Count();
    }

    private static ImageFingerprint?[] Describe(ImageDataset dataset, IEnumerable<CheckedImage> images) =>
        [.. images.AsParallel().AsOrdered().Select(image => ImageFingerprint.Of(DecodedImage.Of(dataset, image.Pixels)))];

    private static bool IsTrained(string split) => split == "train";

    private static string Verb(int count, string one, string many) => count == 1 ? one : many;
}
