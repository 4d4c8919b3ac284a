using MedMerge.Data;
using MedMerge.Statistics;

namespace MedMerge.Tests.Statistics;

public class MeanOverTargetsTests
{
    private const int Images = 50;
    private const int Resamples = 200;

    /// <summary>
    /// Two methods that are equal over all targets there could be, but for chance: of the target, of the seed, of the test images, and of
    /// seed and image together. The interval must hold the true difference, zero, at least as often as it says: 95 %, less 2 for the chance
    /// of the simulation.
    /// </summary>
    [Theory]
    [InlineData(2, 1, 1.0)]
    [InlineData(2, 5, 0.0)]
    [InlineData(2, 5, 0.3)]
    [InlineData(2, 5, 1.0)]
    [InlineData(3, 2, 0.3)]
    [InlineData(3, 5, 0.0)]
    [InlineData(3, 5, 0.3)]
    [InlineData(3, 5, 1.0)]
    [InlineData(5, 1, 0.3)]
    [InlineData(5, 5, 0.0)]
    [InlineData(5, 5, 0.3)]
    [InlineData(5, 5, 1.0)]
    [InlineData(10, 5, 0.3)]
    public void Intervals_cover_what_they_claim_at_few_targets(int targets, int seeds, double ofTarget)
    {
        var coverage = MeasureCoverage(targets, seeds, ofTarget, (differences, _) => MeanOverTargets.Of([.. differences.Select(Describe)]));

        Assert.InRange(coverage, 0.93, 1);
    }

    /// <summary>Why the interval is no percentile bootstrap over targets, seeds and images.</summary>
    [Theory]
    [InlineData(2, 0.5, 0.8)]
    [InlineData(5, 0.75, 0.9)]
    public void A_percentile_bootstrap_claims_more_than_it_knows(int targets, double low, double high) =>
        Assert.InRange(MeasureCoverage(targets, seeds: 5, ofTarget: 1, PercentileBootstrap), low, high);

    [Fact]
    public void Targets_that_agree_by_chance_have_no_narrower_interval_than_their_seeds_and_images_leave()
    {
        var noisy = new PairedDifference(0.1, new MeanVariance(0.04, 4), new MeanVariance(0.01, 99));

        var interval = MeanOverTargets.Of([new TargetDifference(0.1, noisy), new TargetDifference(0.1, noisy)]);

        // Half the variance each; t(8) = 2.306004 and t(198) = 1.972017 for pooled degrees of freedom.
        var half = Math.Sqrt((2.306004 * 2.306004 * 0.02) + (1.972017 * 1.972017 * 0.005));
        Assert.Equal(0.1, interval.Estimate, 1e-12);
        Assert.Equal(half, interval.High - 0.1, 1e-5);
        Assert.Equal(half, 0.1 - interval.Low, 1e-5);
    }

    [Fact]
    public void Targets_that_differ_by_more_have_students_t_over_targets()
    {
        var exact = new PairedDifference(0, new MeanVariance(1e-6, 4), new MeanVariance(1e-6, 99));

        Assert.Equal(
            Interval.OfMean([0.1, 0.2]),
            MeanOverTargets.Of([new TargetDifference(0.1, exact), new TargetDifference(0.2, exact)]));
    }

    [Fact]
    public void One_target_has_the_interval_of_its_seeds_and_images_and_none_where_these_are_unknown()
    {
        var difference = new PairedDifference(0.1, new MeanVariance(0.04, 4), new MeanVariance(0.01, 99));

        Assert.Equal(difference.Interval, MeanOverTargets.Of([new TargetDifference(0.1, difference)]));
        Assert.Equal(new Interval(0.1, double.NaN, double.NaN), MeanOverTargets.Of([new TargetDifference(0.1, OnTarget: null)]));
        Assert.Equal(new Interval(double.NaN, double.NaN, double.NaN), MeanOverTargets.Of([]));
    }

    [Fact]
    public void The_scenarios_of_a_target_are_averaged_over_the_seeds_that_all_have()
    {
        var first = new SeedDifferences([1, 2], [0.1, 0.3], [[0.0, 0.2, 0.4], [0.2, 0.4, 0.6]], Images);
        var second = new SeedDifferences([2, 3], [0.5, 9], [[0.4, 0.8], [9, 9]], Images);

        var average = SeedDifferences.Average([first, second])!;

        Assert.Equal([2UL], average.Seeds);
        Assert.Equal(0.4, Assert.Single(average.Estimates), 1e-12);
        Assert.Equal([0.3, 0.6], Assert.Single(average.Resamples).Select(value => Math.Round(value, 12)));
        Assert.Null(SeedDifferences.Average([first, second with { Seeds = [3, 4] }]));
    }

    private static double MeasureCoverage(
        int targets,
        int seeds,
        double ofTarget,
        Func<IReadOnlyList<SeedDifferences>, RandomStream, Interval> estimate)
    {
        const int repetitions = 500;
        var covered = 0;
        for (var repetition = 0; repetition < repetitions; repetition++)
        {
            var random = new RandomStream((ulong)repetition, (ulong)targets, (ulong)seeds, (ulong)(100 * ofTarget));
            var differences = Enumerable.Range(0, targets).Select(_ => Draw(random, seeds, ofTarget)).ToList();
            var interval = estimate(differences, random);
            covered += interval.Low <= 0 && interval.High >= 0 ? 1 : 0;
        }
        return covered / (double)repetitions;
    }

    private static TargetDifference Describe(SeedDifferences differences)
    {
        var difference = PairedDifference.Of(differences);
        return new TargetDifference(difference.Estimate, difference);
    }

    /// <summary>A target's differences, whose score is a mean over images.</summary>
    private static SeedDifferences Draw(RandomStream random, int seeds, double ofTarget)
    {
        const double ofSeed = 0.3, ofImage = 1.5, ofBoth = 1;
        var target = ofTarget * random.NextNormal();
        var suits = Enumerable.Range(0, Images).Select(_ => ofImage * random.NextNormal()).ToArray();
        var images = Enumerable.Range(0, seeds).Select(_ =>
        {
            var seed = target + (ofSeed * random.NextNormal());
            return suits.Select(image => seed + image + (ofBoth * random.NextNormal())).ToArray();
        }).ToArray();
        var draws = Enumerable.Range(0, Resamples)
            .Select(_ => Enumerable.Range(0, Images).Select(_ => random.Below(Images)).ToArray())
            .ToArray();
        return new SeedDifferences(
            [.. Enumerable.Range(0, seeds).Select(seed => (ulong)seed)],
            [.. images.Select(seed => seed.Average())],
            [.. images.Select(seed => draws.Select(draw => draw.Average(image => seed[image])).ToArray())],
            Images);
    }

    private static Interval PercentileBootstrap(IReadOnlyList<SeedDifferences> targets, RandomStream random)
    {
        var means = Enumerable.Range(0, 400).Select(_ => Enumerable.Range(0, targets.Count).Average(_ =>
        {
            var target = targets[random.Below(targets.Count)];
            var resample = random.Below(Resamples);
            return Enumerable.Range(0, target.Estimates.Length)
                .Average(_ => target.Resamples[random.Below(target.Estimates.Length)][resample]);
        })).Order().ToArray();
        return new Interval(means.Average(), means[10], means[389]);
    }
}
