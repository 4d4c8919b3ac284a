using System.Collections.Concurrent;
using System.Numerics;
using System.Numerics.Tensors;

namespace MedMerge.Data.Checks;

/// <summary>
/// Finds images that are copies of another in all but size, compression, brightness, contrast, a narrow crop, or mirroring: each image's
/// nearest by the low frequencies of their cosine transform, then those of them that correlate almost wholly once they are aligned.
/// </summary>
internal static class NearCopies
{
    /// <summary>
    /// Of more images than that only some are sought among all: the time grows with the square of their number otherwise.
    /// </summary>
    public const int MaxImages = 20_000;

    private const long MaxComparisons = (long)MaxImages * MaxImages; // of one image with another
    private const int Neighbours = 6; // of an image that are aligned with it
    private const float MinLikeness = 0.93f; // of features
    private const double MinCorrelation = 0.98;
    private const double WorthTurning = 0.95; // aligned the other way round as well, which a crop may need
    private const float Crop = 1 / 14f; // two pixels of 28

    // Parts that a copy may show: all, without two pixels on every side, on two of them, or on one of each pair.
    private static readonly ImageSection[] Sections =
    [
        default,
        new(-2 * Crop, 0, -2 * Crop, 0),
        .. from y in new[] { -0.5f, 0.5f }
           from x in new[] { -0.5f, 0.5f }
           select new ImageSection(-Crop, y * Crop * ImageFingerprint.Side, -Crop, x * Crop * ImageFingerprint.Side),
        new(-Crop, 0, -Crop, 0),
    ];

    /// <summary>How many images are sought among more of them than <see cref="MaxImages"/>.</summary>
    public static int GetSampleSize(int images) => (int)(MaxComparisons / images);

    /// <summary>Finds pairs.</summary>
    /// <param name="images">Null for those that show nothing, which have no copies.</param>
    /// <param name="sought">The positions of which one is in each pair; null for all.</param>
    /// <param name="among">Those of which the other is; null for all.</param>
    /// <returns>The positions of both in order, the earlier first.</returns>
    public static IReadOnlyList<(int First, int Second)> Find(
        IReadOnlyList<ImageFingerprint?> images,
        IReadOnlyCollection<int>? sought = null,
        IReadOnlyCollection<int>? among = null)
    {
        int[] known = [.. Enumerable.Range(0, images.Count).Where(i => images[i] is not null)];
        int[] asked = sought is null ? known : [.. known.Intersect(sought)];
        int[] searched = among is null ? known : [.. known.Intersect(among)];
        // Of two images the one that shows less finds the other, and that may be the one that nobody asked for.
        var others = FindLike(images, [.. searched.Except(asked)], asked)
            .GroupBy(pair => pair.Other)
            .SelectMany(pairs => pairs.OrderByDescending(pair => pair.Likeness).Take(Neighbours));
        List<AlikePair> candidates = [.. FindLike(images, asked, searched), .. others];
        var copies = new ConcurrentDictionary<(int, int), bool>();
        Parallel.ForEach(candidates, candidate =>
        {
            var pair = (Math.Min(candidate.Image, candidate.Other), Math.Max(candidate.Image, candidate.Other));
            if (copies.ContainsKey(pair)) return;
            if (AreCopies(images[candidate.Image]!, images[candidate.Other]!, candidate)) copies[pair] = true;
        });
        return [.. copies.Keys.Order()];
    }

    /// <summary>For each image those that are most like it, or like a section of it.</summary>
    /// <param name="among">In order.</param>
    private static List<AlikePair> FindLike(IReadOnlyList<ImageFingerprint?> images, int[] asked, int[] among)
    {
        if (asked.Length == 0) return [];
        var features = new FeatureTable([.. among.AsParallel().AsOrdered().Select(i => images[i]!.GetFeatures(default))]);
        return [.. asked.AsParallel().AsOrdered().SelectMany(Find)];

        IEnumerable<AlikePair> Find(int image)
        {
            var queries = Array.ConvertAll(Sections, images[image]!.GetFeatures);
            return features
                .FindNearest(queries, exceptFor: Array.BinarySearch(among, image), Neighbours, MinLikeness)
                .Select(found => new AlikePair(image, among[found.Row], found.Likeness, found.Section, found.Mirroring));
        }
    }

    private static bool AreCopies(ImageFingerprint image, ImageFingerprint other, AlikePair pair)
    {
        var (pixels, mirrored) = (image.GetPixels(), other.Mirror(pair.Mirroring));
        var correlation = ImageAlignment.Correlate(mirrored, pixels, Sections[pair.Section]);
        if (correlation is >= MinCorrelation or < WorthTurning) return correlation >= MinCorrelation;
        return ImageAlignment.Correlate(pixels, mirrored, default) >= MinCorrelation;
    }

    /// <summary>Two images that are alike.</summary>
    /// <param name="Likeness">Of their features, −1 … 1.</param>
    /// <param name="Section">What of the image is like the other, by its position.</param>
    /// <param name="Mirroring">Of the other.</param>
    private readonly record struct AlikePair(int Image, int Other, float Likeness, int Section, Mirroring Mirroring);

    /// <summary>A row of features that is like one of the queries.</summary>
    private readonly record struct Neighbour(int Row, float Likeness, int Section, Mirroring Mirroring);

    /// <summary>
    /// The features of images, so arranged that as many as a vector holds are compared at a time. Of most images the lowest frequencies
    /// tell that they are not alike: those of the others can't add more than the product of their norms (Cauchy-Schwarz).
    /// </summary>
    private sealed class FeatureTable
    {
        private const int Features = ImageFingerprint.Frequencies * ImageFingerprint.Frequencies;
        private const int Low = ImageFingerprint.LowFeatures;
        private const int Mirrorings = 4;

        private static readonly int Lanes = Vector<float>.Count;

        private readonly int _count;
        private readonly float[] _blocks; // [block, feature, lane]
        private readonly float[] _restNorms; // [block, lane], of the features that are not low

        public FeatureTable(IReadOnlyList<float[]> rows)
        {
            _count = rows.Count;
            var blocks = (rows.Count + Lanes - 1) / Lanes;
            _blocks = new float[blocks * Features * Lanes];
            _restNorms = new float[blocks * Lanes];
            for (var i = 0; i < rows.Count; i++)
            {
                for (var k = 0; k < Features; k++) _blocks[(((i / Lanes * Features) + k) * Lanes) + (i % Lanes)] = rows[i][k];
                _restNorms[i] = GetRestNorm(rows[i]);
            }
        }

        /// <summary>The rows that are most like any of the queries, mirrored or not.</summary>
        /// <param name="exceptFor">A row; below 0 for none.</param>
        public List<Neighbour> FindNearest(float[][] queries, int exceptFor, int count, float minimum)
        {
            var nearest = new List<Neighbour>(count + 1);
            var restNorms = Array.ConvertAll(queries, GetRestNorm);
            Span<Vector<float>> likeness = stackalloc Vector<float>[Mirrorings];
            for (var first = 0; first < _count; first += Lanes)
            {
                var block = _blocks.AsSpan(first * Features, Features * Lanes);
                for (var section = 0; section < queries.Length; section++)
                {
                    var threshold = new Vector<float>(nearest.Count == count ? nearest[^1].Likeness : minimum);
                    likeness.Clear();
                    Compare(queries[section].AsSpan(0, Low), block, likeness);
                    if (!IsAnyAbove(likeness, threshold - (new Vector<float>(_restNorms, first) * restNorms[section]))) continue;
                    Compare(queries[section].AsSpan(Low), block[(Low * Lanes)..], likeness);
                    for (var mirroring = 0; mirroring < Mirrorings; mirroring++)
                    {
                        if (!Vector.GreaterThanAny(likeness[mirroring], threshold)) continue;
                        for (var lane = 0; lane < Lanes && first + lane < _count; lane++)
                        {
                            if (first + lane == exceptFor) continue;
                            var found = new Neighbour(first + lane, likeness[mirroring][lane], section, (Mirroring)mirroring);
                            Keep(nearest, count, minimum, found);
                        }
                    }
                }
            }
            return nearest;
        }

        private static float GetRestNorm(float[] features) => TensorPrimitives.Norm(features.AsSpan(Low));

        private static bool IsAnyAbove(ReadOnlySpan<Vector<float>> likeness, Vector<float> threshold)
        {
            var highest = Vector.Max(Vector.Max(likeness[0], likeness[1]), Vector.Max(likeness[2], likeness[3]));
            return Vector.GreaterThanAny(highest, threshold);
        }

        /// <summary>Adds products with a block's images as they are, and mirrored: then groups of features have the other sign.</summary>
        private static void Compare(ReadOnlySpan<float> query, ReadOnlySpan<float> block, Span<Vector<float>> likeness)
        {
            Span<Vector<float>> sums = stackalloc Vector<float>[Mirrorings];
            var size = query.Length / Mirrorings;
            for (var group = 0; group < Mirrorings; group++)
            {
                var sum = Vector<float>.Zero;
                for (var k = group * size; k < (group + 1) * size; k++) sum += new Vector<float>(block[(k * Lanes)..]) * query[k];
                sums[group] = sum;
            }
            var (even, odd) = (sums[0] + sums[2], sums[1] + sums[3]); // from left to right
            var (evenTurned, oddTurned) = (sums[0] - sums[2], sums[1] - sums[3]); // top and bottom changed
            likeness[(int)Mirroring.None] += even + odd;
            likeness[(int)Mirroring.LeftToRight] += even - odd;
            likeness[(int)Mirroring.TopToBottom] += evenTurned + oddTurned;
            likeness[(int)(Mirroring.LeftToRight | Mirroring.TopToBottom)] += evenTurned - oddTurned;
        }

        private static void Keep(List<Neighbour> nearest, int count, float minimum, Neighbour found)
        {
            if (found.Likeness <= minimum) return;
            var known = nearest.FindIndex(neighbour => neighbour.Row == found.Row);
            if (known >= 0 && nearest[known].Likeness >= found.Likeness) return;
            if (known >= 0) nearest.RemoveAt(known);
            var place = nearest.FindIndex(neighbour => neighbour.Likeness < found.Likeness);
            nearest.Insert(place < 0 ? nearest.Count : place, found);
            if (nearest.Count > count) nearest.RemoveAt(count);
        }
    }
}
