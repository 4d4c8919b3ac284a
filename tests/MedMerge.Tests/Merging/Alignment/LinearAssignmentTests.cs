using System.Diagnostics;
using MedMerge.Data;
using MedMerge.Merging.Alignment;

namespace MedMerge.Tests.Merging.Alignment;

public class LinearAssignmentTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void It_is_the_best_of_all_permutations(int size)
    {
        var random = new RandomStream(1, (ulong)size);
        for (var trial = 0; trial < 200; trial++)
        {
            // Small whole numbers in every second one: many sums are equal.
            var isCoarse = trial % 2 == 0;
            var values = Enumerable.Range(0, size * size).Select(_ => isCoarse ? random.Below(4) - 2 : random.NextNormal()).ToArray();

            var found = LinearAssignment.Maximise(values, size);

            Assert.Equal(Enumerable.Range(0, size), found.Order());
            Assert.Equal(Permutations(size).Max(columns => Sum(values, columns)), Sum(values, found), 1e-12);
        }
    }

    /// <summary>Also where many sums are all but equal, as in a matrix of rank one.</summary>
    [Theory]
    [InlineData(300, false)]
    [InlineData(300, true)]
    [InlineData(2048, false)]
    public void A_large_one_is_found_in_time(int size, bool isOfLowRank)
    {
        var random = new RandomStream(2, (ulong)size);
        var (rows, columns) = (Draw(size), Draw(size));
        // Of rank one the best is known: both sorted.
        double[] values = isOfLowRank
            ? [.. rows.SelectMany(row => columns.Select(column => row * column))]
            : Draw(size * size);
        var clock = Stopwatch.StartNew();

        var found = LinearAssignment.Maximise(values, size);

        Assert.True(clock.Elapsed < TimeSpan.FromMinutes(5), $"It took {clock.Elapsed}."); // seconds on a free machine
        Assert.Equal(Enumerable.Range(0, size), found.Order());
        var sum = Sum(values, found);
        if (isOfLowRank) Assert.Equal(rows.Order().Zip(columns.Order(), (row, column) => row * column).Sum(), sum, 1e-9 * Math.Abs(sum));
        for (var row = 1; row < size; row++)
        {
            // No exchange of two is better.
            double Value(int of, int by) => values[(of * size) + found[by]];
            Assert.True(Value(row, row) + Value(row - 1, row - 1) >= Value(row, row - 1) + Value(row - 1, row) - 1e-12);
        }

        double[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextNormal())];
    }

    [Fact]
    public void A_hidden_permutation_is_found_in_noise()
    {
        const int size = 500;
        var random = new RandomStream(3);
        var hidden = random.Permutation(size);
        var values = Enumerable.Range(0, size * size).Select(_ => random.NextDouble()).ToArray();
        for (var row = 0; row < size; row++) values[(row * size) + hidden[row]] += 1;
        Assert.Equal(hidden, LinearAssignment.Maximise(values, size));
    }

    [Fact]
    public void Rows_stay_at_their_columns_where_nothing_is_gained()
    {
        Assert.Equal([0, 1, 2], LinearAssignment.Improve(new double[9], 3));
        Assert.Equal([0, 1, 2], LinearAssignment.Improve([0.1, 0.3, 0, 0.3, 0.5, 0, 0, 0, 0], 3)); // equal but for rounding
        Assert.Equal([1, 0, 2], LinearAssignment.Improve([0, 1, 0, 1, 0, 0, 0, 0, 0], 3));
    }

    [Fact]
    public void What_is_not_a_number_is_refused()
    {
        Assert.Throws<ArgumentException>(() => LinearAssignment.Maximise([0, double.NaN, 0, 0], 2));
        Assert.Throws<ArgumentException>(() => LinearAssignment.Maximise([0, 0, 0], 2));
    }

    private static double Sum(double[] values, int[] columns) =>
        columns.Index().Sum(pair => values[(pair.Index * columns.Length) + pair.Item]);

    private static IEnumerable<int[]> Permutations(int size)
    {
        if (size == 0) return [[]];
        return Permutations(size - 1).SelectMany(shorter =>
            Enumerable.Range(0, size).Select(place => (int[])[.. shorter[..place], size - 1, .. shorter[place..]]));
    }
}
