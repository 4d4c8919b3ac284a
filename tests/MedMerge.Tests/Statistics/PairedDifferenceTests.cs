using MedMerge.Data;
using MedMerge.Statistics;

namespace MedMerge.Tests.Statistics;

public class PairedDifferenceTests
{
    private const int Images = 100;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void A_real_difference_is_seen_and_none_where_there_is_none()
    {
        var random = new RandomStream(5);
        var good = Enumerable.Range(0, 3).Select(_ => Model(image => 1.5 + random.NextNormal())).ToList();
        var bad = Enumerable.Range(0, 3).Select(_ => Model(image => 0.2 + random.NextNormal())).ToList();

        var scores = Resample([.. good, .. bad], 500);

        foreach (var metric in Enum.GetValues<Metric>())
        {
            var apart = Compare(scores[..3], scores[3..], metric);
            Assert.True(apart.IsAboveZero, $"{metric}: {apart}");
            var mean = good.Average(model => Scores.Of(model).Get(metric)) - bad.Average(model => Scores.Of(model).Get(metric));
            Assert.Equal(mean, apart.Estimate, 1e-12);
            Assert.Equal(new Interval(0, 0, 0), Compare(scores[..3], scores[..3], metric));
        }
    }

    /// <summary>
    /// Two methods that are equal but for chance: of the seed, of the test images (each suits one method more or less), and of both
    /// together. The interval must hold the true difference, zero, as often as it says: 95 %, give or take 2. Only with three seeds and
    /// chance of the images alone it is wider than it need be, because three seeds can't tell that seeds add nothing.
    /// </summary>
    [Theory]
    [InlineData(3, 0.0, 0.6, 0.5)]
    [InlineData(3, 0.5, 0.0, 0.5)]
    [InlineData(3, 0.3, 0.4, 0.5)]
    [InlineData(5, 0.0, 0.6, 0.5)]
    [InlineData(5, 0.5, 0.0, 0.5)]
    [InlineData(5, 0.3, 0.4, 0.5)]
    [InlineData(10, 0.0, 0.6, 0.5)]
    [InlineData(10, 0.5, 0.0, 0.5)]
    [InlineData(10, 0.3, 0.4, 0.5)]
    public void Intervals_cover_what_they_claim_at_few_seeds(int seeds, double ofSeed, double ofImage, double ofBoth)
    {
        const int repetitions = 500;
        var covered = 0;
        for (var repetition = 0; repetition < repetitions; repetition++)
        {
            var random = new RandomStream((ulong)repetition, (ulong)seeds, (ulong)(100 * ofSeed), (ulong)(100 * ofImage));
            var suits = Enumerable.Range(0, 2)
                .Select(_ => Enumerable.Range(0, Images).Select(_ => ofImage * random.NextNormal()).ToArray())
                .ToArray();
            var difficulty = Enumerable.Range(0, Images).Select(_ => random.NextNormal()).ToArray();
            var models = Enumerable.Range(0, 2 * seeds).Select(m =>
            {
                var skill = 0.8 + (ofSeed * random.NextNormal());
                return Model(image => skill + difficulty[image] + suits[m / seeds][image] + (ofBoth * random.NextNormal()));
            }).ToList();
            var scores = Resample(models, 200);
            var interval = Compare(scores[..seeds], scores[seeds..], Metric.Accuracy);
            covered += interval.Low <= 0 && interval.High >= 0 ? 1 : 0;
        }
        var isCautious = seeds == 3 && ofSeed == 0;
        Assert.InRange(covered / (double)repetitions, 0.93, isCautious ? 0.985 : 0.97);
    }

    /// <summary>The p-value of a difference that the interval just reaches is 5 %, and that of twice the difference is smaller.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(6)]
    public void The_p_value_is_below_a_level_where_the_interval_at_that_level_leaves_out_zero(int seeds)
    {
        var ofSeeds = seeds == 1 ? MeanVariance.None : new MeanVariance(0.3, seeds - 1);
        var one = new PairedDifference(1, ofSeeds, new MeanVariance(0.2, Images - 1));
        var half = one.Interval.High - 1;

        Assert.Equal(0.05, (one with { Estimate = half }).PValue, 1e-6);
        Assert.Equal(0.05, (one with { Estimate = -half }).PValue, 1e-6);
        Assert.True((one with { Estimate = 1.01 * half }).PValue < 0.05);
        Assert.True((one with { Estimate = 0.99 * half }).PValue > 0.05);
        Assert.Equal(1, (one with { Estimate = 0 }).PValue);
        Assert.Equal(double.NaN, (one with { OfImages = new MeanVariance(double.NaN, 1) }).PValue);
    }

    /// <summary>With one source of chance the p-value is that of Student's t, here from tables.</summary>
    [Theory]
    [InlineData(4, 2.776445, 0.05)]
    [InlineData(4, 4.604095, 0.01)]
    [InlineData(1, 63.656741, 0.01)]
    [InlineData(9, 1.383029, 0.2)]
    public void With_seeds_alone_the_p_value_is_that_of_students_t(int degrees, double t, double expected)
    {
        var difference = new PairedDifference(t, new MeanVariance(1, degrees), new MeanVariance(0, Images));

        Assert.Equal(expected, difference.PValue, 1e-6);
    }

    /// <summary>Answers for images whose labels take turns; an image is right if its margin is above 0.</summary>
    private static Predictions Model(Func<int, double> margin)
    {
        var labels = Enumerable.Range(0, Images).Select(image => image % 2).ToArray();
        var probabilities = labels.SelectMany((label, image) =>
        {
            var right = 1 / (1 + Math.Exp(-margin(image)));
            return label == 0 ? new[] { right, 1 - right } : [1 - right, right];
        });
        return new Predictions(Classes: 2, [.. probabilities], labels);
    }

    private static Interval Compare(IReadOnlyList<ResampledScores> first, IReadOnlyList<ResampledScores> second, Metric metric)
    {
        ulong[] seeds = [.. Enumerable.Range(0, first.Count).Select(seed => (ulong)seed)];
        return PairedDifference.Of(SeedDifferences.Between(seeds, first, second, metric, Images)).Interval;
    }

    private static ResampledScores[] Resample(IReadOnlyList<Predictions> models, int resamples) =>
        [.. ResampledScores.Of(models, resamples, resample => new RandomStream(9, (ulong)resample).Below, Cancellation)];
}
