using System.Collections.Concurrent;
using System.Numerics;

namespace MedMerge.Data.Checks;

/// <summary>
/// Finds images that are copies of another in all but size, compression, brightness, contrast, a narrow crop, or mirroring: each image's
/// nearest by the low frequencies of their cosine transform, then those of them that correlate almost wholly once they are aligned.
/// </summary>
internal static class NearCopies
{
    /// <summary>More images than that are not compared: the time grows with their square.</summary>
    public const int MaxImages = 20_000;

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

    /// <summary>Finds pairs.</summary>
    /// <param name="images">Null for those that show nothing, which have no copies.</param>
    /// <returns>The positions of both in order, the earlier first.</returns>
    public static IReadOnlyList<(int First, int Second)> Find(IReadOnlyList<ImageFingerprint?> images)
    {
        var known = Enumerable.Range(0, images.Count).Where(i => images[i] is not null).ToArray();
        var features = new FeatureTable([.. known.AsParallel().AsOrdered().Select(i => images[i]!.GetFeatures(default))]);
        var pairs = new ConcurrentDictionary<(int, int), bool>();
        Parallel.For(0, known.Length, i =>
        {
            var queries = Array.ConvertAll(Sections, images[known[i]]!.GetFeatures);
            foreach (var neighbour in features.FindNearest(queries, exceptFor: i, Neighbours, MinLikeness))
            {
                var pair = (known[Math.Min(i, neighbour.Image)], known[Math.Max(i, neighbour.Image)]);
                if (pairs.ContainsKey(pair)) continue;
                if (AreCopies(images[known[i]]!, images[known[neighbour.Image]]!, neighbour)) pairs[pair] = true;
            }
        });
        return [.. pairs.Keys.Order()];
    }

    private static bool AreCopies(ImageFingerprint image, ImageFingerprint other, Neighbour neighbour)
    {
        var mirrored = other.Mirror(neighbour.Mirroring);
        var correlation = ImageAlignment.Correlate(mirrored, image.Pixels, Sections[neighbour.Section]);
        if (correlation is >= MinCorrelation or < WorthTurning) return correlation >= MinCorrelation;
        return ImageAlignment.Correlate(image.Pixels, mirrored, default) >= MinCorrelation;
    }

    /// <summary>An image that is like another.</summary>
    /// <param name="Image">Its position.</param>
    /// <param name="Likeness">−1 … 1.</param>
    /// <param name="Section">Of the other one, by its position.</param>
    /// <param name="Mirroring">Of this one.</param>
    private readonly record struct Neighbour(int Image, float Likeness, int Section, Mirroring Mirroring);

    /// <summary>The features of all images, so arranged that as many as a vector holds are compared at a time.</summary>
    private sealed class FeatureTable
    {
        private const int Features = ImageFingerprint.Frequencies * ImageFingerprint.Frequencies;
        private const int GroupSize = Features / 4;

        private static readonly int Lanes = Vector<float>.Count;

        private readonly int _count;
        private readonly float[] _blocks; // [block, feature, lane]

        public FeatureTable(IReadOnlyList<float[]> rows)
        {
            _count = rows.Count;
            _blocks = new float[(rows.Count + Lanes - 1) / Lanes * Features * Lanes];
            for (var i = 0; i < rows.Count; i++)
            {
                for (var k = 0; k < Features; k++) _blocks[(((i / Lanes * Features) + k) * Lanes) + (i % Lanes)] = rows[i][k];
            }
        }

        /// <summary>The images that are most like any of the queries, mirrored or not.</summary>
        public List<Neighbour> FindNearest(float[][] queries, int exceptFor, int count, float minimum)
        {
            var nearest = new List<Neighbour>(count + 1);
            Span<Vector<float>> likeness = stackalloc Vector<float>[4]; // for each mirroring
            for (var first = 0; first < _count; first += Lanes)
            {
                var block = _blocks.AsSpan(first * Features, Features * Lanes);
                for (var section = 0; section < queries.Length; section++)
                {
                    var threshold = nearest.Count == count ? nearest[^1].Likeness : minimum;
                    Compare(queries[section], block, likeness);
                    for (var mirroring = 0; mirroring < likeness.Length; mirroring++)
                    {
                        if (!Vector.GreaterThanAny(likeness[mirroring], new Vector<float>(threshold))) continue;
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

        /// <summary>Products with a block's images as they are, and mirrored: then groups of features have the other sign.</summary>
        private static void Compare(ReadOnlySpan<float> query, ReadOnlySpan<float> block, Span<Vector<float>> likeness)
        {
            Span<Vector<float>> sums = stackalloc Vector<float>[4];
            for (var group = 0; group < 4; group++)
            {
                var sum = Vector<float>.Zero;
                for (var k = group * GroupSize; k < (group + 1) * GroupSize; k++)
                    sum += new Vector<float>(block[(k * Lanes)..]) * query[k];
                sums[group] = sum;
            }
            var (even, odd) = (sums[0] + sums[2], sums[1] + sums[3]); // from left to right
            var (evenTurned, oddTurned) = (sums[0] - sums[2], sums[1] - sums[3]); // top and bottom changed
            likeness[(int)Mirroring.None] = even + odd;
            likeness[(int)Mirroring.LeftToRight] = even - odd;
            likeness[(int)Mirroring.TopToBottom] = evenTurned + oddTurned;
            likeness[(int)(Mirroring.LeftToRight | Mirroring.TopToBottom)] = evenTurned - oddTurned;
        }

        private static void Keep(List<Neighbour> nearest, int count, float minimum, Neighbour found)
        {
            if (found.Likeness <= minimum) return;
            var known = nearest.FindIndex(neighbour => neighbour.Image == found.Image);
            if (known >= 0 && nearest[known].Likeness >= found.Likeness) return;
            if (known >= 0) nearest.RemoveAt(known);
            var place = nearest.FindIndex(neighbour => neighbour.Likeness < found.Likeness);
            nearest.Insert(place < 0 ? nearest.Count : place, found);
            if (nearest.Count > count) nearest.RemoveAt(count);
        }
    }
}
