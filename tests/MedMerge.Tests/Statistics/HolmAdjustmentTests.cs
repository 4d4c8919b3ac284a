using MedMerge.Data;
using MedMerge.Statistics;

namespace MedMerge.Tests.Statistics;

public class HolmAdjustmentTests
{
    /// <summary>
    /// Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1 are 0.02, 0.03, 0.06, 0.04, and the last may not be below the one before.
    /// </summary>
    [Fact]
    public void Adjusted_values_are_those_computed_by_hand()
    {
        double[] expected = [0.03, 0.06, 0.06, 0.02];

        var adjusted = HolmAdjustment.Adjust([0.01, 0.04, 0.03, 0.005]);

        Assert.Equal(expected.Length, adjusted.Length);
        Assert.All(expected.Zip(adjusted), pair => Assert.Equal(pair.First, pair.Second, 1e-15));
    }

    [Fact]
    public void Adjusted_values_are_at_most_one_equal_ones_stay_equal_and_one_alone_stays_as_it_is()
    {
        Assert.Equal([1, 1], HolmAdjustment.Adjust([0.6, 0.9]));
        Assert.Equal([0.04, 0.04], HolmAdjustment.Adjust([0.02, 0.02]));
        Assert.Equal([0.3], HolmAdjustment.Adjust([0.3]));
        Assert.Empty(HolmAdjustment.Adjust([]));
    }

    /// <summary>
    /// Eight scenarios without any difference, which share part of their chance as scenarios of one target do: a family finds one in at
    /// most 5 %, give or take 2, and without the adjustment in a third.
    /// </summary>
    [Theory]
    [InlineData(0.0)]
    [InlineData(0.5)]
    public void Families_without_a_difference_are_wrong_as_rarely_as_they_claim(double shared)
    {
        const int repetitions = 1000, scenarios = 8, seeds = 5;
        var (adjusted, plain) = (0, 0);
        for (var repetition = 0; repetition < repetitions; repetition++)
        {
            var random = new RandomStream((ulong)repetition, (ulong)(100 * shared));
            var common = Enumerable.Range(0, seeds).Select(_ => shared * random.NextNormal()).ToArray();
            double[] values = [.. Enumerable.Range(0, scenarios).Select(_ => CreateDifference(common, random).PValue)];
            if (values.Any(value => value < 0.05)) plain++;
            if (HolmAdjustment.Adjust(values).Any(value => value < 0.05)) adjusted++;
        }

        Assert.InRange(adjusted / (double)repetitions, 0.01, 0.07);
        Assert.True(plain > 0.25 * repetitions, $"{plain} of {repetitions} families");
    }

    /// <summary>Chance of seeds alone.</summary>
    private static PairedDifference CreateDifference(double[] common, RandomStream random)
    {
        var values = common.Select(value => value + random.NextNormal()).ToArray();
        ulong[] seeds = [.. values.Index().Select(value => (ulong)value.Index)];
        return PairedDifference.Of(new SeedDifferences(seeds, values, [.. values.Select(value => new[] { value, value })], Images: 100));
    }
}
