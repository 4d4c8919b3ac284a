using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Tests.Tensors;

/// <summary>Vectors compute what one value after the other gives, whatever the length.</summary>
public class FilterArithmeticTests
{
    private static readonly float[] Special =
        [0, -0f, float.Epsilon, -1e-40f, float.MaxValue, float.MinValue, float.PositiveInfinity, float.NegativeInfinity, float.NaN];

    public static TheoryData<int> Lengths => [.. Enumerable.Range(0, 35)];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Every_value_is_computed_by_itself(int length)
    {
        var values = Draw(length);
        var sum = Array.ConvertAll(Draw(length, seed: 2), value => value / 3.0);
        var scaled = new float[length];
        var added = sum.ToArray();
        var rounded = new float[length];

        FilterArithmetic.Scale(values, 1 / 3.0, scaled);
        FilterArithmetic.AddScaled(values, 1 / 3.0, added);
        FilterArithmetic.Round(sum, rounded);

        AssertSame(values.Select(value => (float)(value * (1 / 3.0))), scaled);
        Assert.Equal(sum.Zip(values, (before, value) => before + (value * (1 / 3.0))), added);
        AssertSame(sum.Select(value => (float)value), rounded);
    }

    [Fact]
    public void Each_weight_is_for_as_many_values()
    {
        var sum = new double[22];
        FilterArithmetic.AddWeighted([.. Enumerable.Repeat(1f, 22)], [1, 2], sum);
        Assert.Equal([.. Enumerable.Repeat(1.0, 11), .. Enumerable.Repeat(2.0, 11)], sum);

        FilterArithmetic.AddWeighted([5, 6], [1, 2], sum.AsSpan(0, 2));
        Assert.Equal([6, 13], sum[..2]);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void The_norm_is_libtorchs(int length)
    {
        float[] values = [.. Draw(length).Where(float.IsFinite).Select(value => value % 10)];
        using var scope = NewDisposeScope();
        var expected = tensor(values).to(ScalarType.Float64).norm().item<double>();
        Assert.Equal(expected, FilterArithmetic.Norm(values), 1e-13);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Products_are_added_up(int length)
    {
        double[] a = [.. Enumerable.Range(1, length).Select(i => (double)i)];
        double[] b = [.. Enumerable.Range(3, length).Select(i => (double)i)];
        var expected = (a.Zip(b, (x, y) => x * y).Sum(), a.Sum(x => x * x), b.Sum(x => x * x)); // whole numbers: exact in any order
        Assert.Equal(expected, FilterArithmetic.Products(a, b));
        var widened = new double[length];
        FilterArithmetic.Widen(Array.ConvertAll(a, value => (float)value), widened);
        Assert.Equal(a, widened);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_value_that_is_not_finite_is_found_anywhere(float bad)
    {
        for (var length = 1; length < 20; length++)
        {
            float[] values = [.. Enumerable.Repeat(float.MaxValue, length)];
            Assert.True(FilterArithmetic.AreFinite(values));
            for (var i = 0; i < length; i++)
            {
                values[i] = bad;
                Assert.False(FilterArithmetic.AreFinite(values));
                values[i] = -1;
            }
        }
    }

    private static float[] Draw(int length, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(i => i % 4 == 3 ? Special[random.Next(Special.Length)] : random.NextSingle() - 0.5f)];
    }

    private static void AssertSame(IEnumerable<float> expected, float[] actual) =>
        Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), actual.Select(BitConverter.SingleToInt32Bits));
}
