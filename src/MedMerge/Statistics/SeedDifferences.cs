namespace MedMerge.Statistics;

/// <summary>The differences between two methods that ran with the same seeds on the same test images, seed by seed.</summary>
/// <param name="Seeds">The seeds that both have, ascending.</param>
/// <param name="Estimates">On all test images, [seeds].</param>
/// <param name="Resamples">On resamples of the test images, [seeds][resamples]; a resample draws the same images for every seed.</param>
/// <param name="Images">Number of test images.</param>
internal sealed record SeedDifferences(IReadOnlyList<ulong> Seeds, double[] Estimates, double[][] Resamples, int Images)
{
    /// <summary>First minus second.</summary>
    /// <param name="first">One entry a seed.</param>
    /// <param name="second">The other method, same seeds in the same order, same test images and resamples.</param>
    public static SeedDifferences Between(
        IReadOnlyList<ulong> seeds,
        IReadOnlyList<ResampledScores> first,
        IReadOnlyList<ResampledScores> second,
        Metric metric,
        int images)
    {
        if (first.Count != second.Count || first.Count != seeds.Count || seeds.Count == 0)
            throw new ArgumentException("Both methods need the same seeds.", nameof(second));
        return new SeedDifferences(
            seeds,
            [.. first.Zip(second, (one, other) => one.Scores[metric] - other.Scores[metric])],
            [.. first.Zip(second, (one, other) => Subtract(one.Resamples[metric], other.Resamples[metric]))],
            images);
    }

    /// <summary>The mean of differences on the same test images, over the seeds that all have; null if there is none.</summary>
    public static SeedDifferences? Average(IReadOnlyList<SeedDifferences> parts)
    {
        var seeds = parts
            .Select(part => part.Seeds.AsEnumerable())
            .Aggregate((common, others) => common.Intersect(others))
            .ToList();
        if (seeds.Count == 0) return null;
        var resamples = parts.Min(part => part.Resamples[0].Length);
        var estimates = new double[seeds.Count];
        var resampled = seeds.Select(_ => new double[resamples]).ToArray();
        foreach (var part in parts)
        {
            for (var seed = 0; seed < seeds.Count; seed++)
            {
                var position = part.Seeds.Index().First(known => known.Item == seeds[seed]).Index;
                estimates[seed] += part.Estimates[position] / parts.Count;
                for (var i = 0; i < resamples; i++) resampled[seed][i] += part.Resamples[position][i] / parts.Count;
            }
        }
        return new SeedDifferences(seeds, estimates, resampled, parts[0].Images);
    }

    /// <summary>The same with the first resamples alone.</summary>
    public SeedDifferences Truncate(int resamples) => this with
    {
        Resamples = [.. Resamples.Select(seed => seed.Length <= resamples ? seed : seed[..resamples])],
    };

    private static double[] Subtract(double[] one, double[] other)
    {
        var difference = new double[one.Length];
        for (var i = 0; i < difference.Length; i++) difference[i] = one[i] - other[i];
        return difference;
    }
}
