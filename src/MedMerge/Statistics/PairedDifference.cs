namespace MedMerge.Statistics;

/// <summary>
/// The mean difference between two methods that ran with the same seeds on the same test images, with both sources of chance. With d(s) the
/// difference of seed s and S seeds, its variance is that of the seeds, Var d / S, plus that of the images.
/// </summary>
/// <remarks>
/// Var d / S holds the interaction of seeds and images already, so of the images only their main effect is added. Let A be the bootstrap
/// variance of the mean difference, all seeds resampled together, and B the same with each seed resampled by itself: then
/// A − B = (1 − 1/S) times the main effect (the variance components of a crossed design, Searle, Casella and McCulloch 1992). Each part has
/// the t quantile of its own degrees of freedom, and the squares of the half widths add up (the modified large-sample interval of Graybill
/// and Wang 1980). In comparison, a percentile bootstrap over seeds covers 83 % at five seeds where it claims 95 %.
/// </remarks>
/// <param name="OfSeeds">The seeds' part of the variance; 0 with one seed, which can't tell.</param>
/// <param name="OfImages">The test images' part.</param>
internal sealed record PairedDifference(double Estimate, MeanVariance OfSeeds, MeanVariance OfImages)
{
    private const double Tail = 0.05;

    /// <summary>Bounds <see cref="PValue"/> from below: what is that small is not known more exactly.</summary>
    private const double SmallestTail = 1e-9;

    /// <summary>The 95 % interval; NaN bounds where a variance is not known.</summary>
    public Interval Interval
    {
        get
        {
            var half = HalfWidth(Tail);
            return new Interval(Estimate, Estimate - half, Estimate + half);
        }
    }

    /// <summary>
    /// The two-sided p-value of no difference: the smallest α whose 1 − α interval leaves out zero. So it is below 0.05 where, and only
    /// where, <see cref="Interval"/> does. NaN where there is no interval.
    /// </summary>
    public double PValue
    {
        get
        {
            if (double.IsNaN(HalfWidth(Tail))) return double.NaN;
            if (Estimate == 0) return 1;
            var (low, high) = (Math.Log(SmallestTail), 0.0);
            for (var i = 0; i < 30; i++)
            {
                var middle = (low + high) / 2;
                if (HalfWidth(Math.Exp(middle)) < Math.Abs(Estimate)) high = middle;
                else low = middle;
            }
            return Math.Exp(high);
        }
    }

    /// <summary>The mean of the seeds' differences.</summary>
    public static PairedDifference Of(SeedDifferences differences)
    {
        var seeds = differences.Estimates.Length;
        var estimate = differences.Estimates.Average();
        var together = Variance(Mean(differences.Resamples));
        var imageDegrees = Math.Max(1, differences.Images - 1);
        if (seeds == 1) return new PairedDifference(estimate, MeanVariance.None, new MeanVariance(together, imageDegrees));

        var apart = differences.Resamples.Sum(Variance) / (seeds * (double)seeds);
        var ofImages = Math.Max(0, (together - apart) * seeds / (seeds - 1));
        return new PairedDifference(
            estimate,
            new MeanVariance(Variance(differences.Estimates) / seeds, seeds - 1),
            new MeanVariance(ofImages, imageDegrees));
    }

    private double HalfWidth(double tail) => Math.Sqrt(OfSeeds.SquareHalfWidth(tail) + OfImages.SquareHalfWidth(tail));

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
