namespace MedMerge.Statistics;

/// <summary>
/// The mean difference between two methods that ran with the same seeds on the same test images, with a 95 % interval over both sources of
/// chance. With d(s) the difference of seed s and S seeds, its variance is that of the seeds, Var d / S, plus that of the images.
/// </summary>
/// <remarks>
/// Var d / S holds the interaction of seeds and images already, so of the images only their main effect is added. Let A be the bootstrap
/// variance of the mean difference, all seeds resampled together, and B the same with each seed resampled by itself: then
/// A − B = (1 − 1/S) times the main effect (the variance components of a crossed design, Searle, Casella and McCulloch 1992). Each part has
/// the t quantile of its own degrees of freedom, and the squares of the half widths add up (the modified large-sample interval of Graybill
/// and Wang 1980). In comparison, a percentile bootstrap over seeds covers 83 % at five seeds where it claims 95 %.
/// </remarks>
internal static class PairedDifference
{
    /// <summary>First minus second.</summary>
    /// <param name="first">One entry a seed.</param>
    /// <param name="second">The other method, same seeds in the same order, same test images and resamples.</param>
    /// <param name="images">Number of test images.</param>
    public static Interval Of(IReadOnlyList<ResampledScores> first, IReadOnlyList<ResampledScores> second, Metric metric, int images)
    {
        if (first.Count != second.Count || first.Count == 0)
            throw new ArgumentException("Both methods need the same seeds.", nameof(second));
        var seeds = first.Count;
        var differences = first.Zip(second, (one, other) => one.Scores[metric] - other.Scores[metric]).ToArray();
        var resampled = first.Zip(second, (one, other) => Subtract(one.Resamples[metric], other.Resamples[metric])).ToArray();
        var estimate = differences.Average();

        var together = Variance(Mean(resampled));
        if (seeds == 1) return CreateInterval(estimate, ofSeeds: 0, ofImages: together, seeds, images);

        var apart = resampled.Sum(Variance) / (seeds * (double)seeds);
        var ofImages = Math.Max(0, (together - apart) * seeds / (seeds - 1));
        return CreateInterval(estimate, Variance(differences) / seeds, ofImages, seeds, images);
    }

    private static Interval CreateInterval(double estimate, double ofSeeds, double ofImages, int seeds, int images)
    {
        var half = Math.Sqrt(SquareHalfWidth(ofSeeds, seeds - 1) + SquareHalfWidth(ofImages, images - 1));
        return new Interval(estimate, estimate - half, estimate + half);
    }

    private static double SquareHalfWidth(double variance, int degrees)
    {
        if (variance == 0) return 0;
        var quantile = StudentT.Quantile975(Math.Max(1, degrees));
        return quantile * quantile * variance;
    }

    private static double[] Subtract(double[] one, double[] other)
    {
        var difference = new double[one.Length];
        for (var i = 0; i < difference.Length; i++) difference[i] = one[i] - other[i];
        return difference;
    }

    /// <summary>The mean over seeds, resample by resample.</summary>
    private static double[] Mean(double[][] seeds)
    {
        var mean = new double[seeds[0].Length];
        foreach (var seed in seeds)
            for (var i = 0; i < mean.Length; i++) mean[i] += seed[i] / seeds.Length;
        return mean;
    }

    /// <summary>The sample variance; values that are not numbers are left out, and fewer than two have none.</summary>
    private static double Variance(double[] values)
    {
        var valid = Array.FindAll(values, double.IsFinite);
        if (valid.Length < 2) return double.NaN;
        var mean = valid.Average();
        return valid.Sum(value => (value - mean) * (value - mean)) / (valid.Length - 1);
    }
}
