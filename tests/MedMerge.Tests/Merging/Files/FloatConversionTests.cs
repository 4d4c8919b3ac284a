using System.Runtime.InteropServices;
using MedMerge.Merging.Files;
using MedMerge.Tensors;

namespace MedMerge.Tests.Merging.Files;

public class FloatConversionTests
{
    [Theory]
    [InlineData("F16")]
    [InlineData("BF16")]
    public void Every_value_of_16_bits_comes_back_as_it_was(string name)
    {
        var bits = Enumerable.Range(0, 1 << 16).Select(i => (ushort)i).ToArray();

        var values = Widen(name, MemoryMarshal.AsBytes<ushort>(bits));
        var back = MemoryMarshal.Cast<byte, ushort>(Narrow(name, values));

        for (var i = 0; i < bits.Length; i++)
        {
            var expected = Value(name, bits[i]);
            Assert.Equal(expected, values[i]); // NaN equals NaN here
            if (double.IsNaN(expected)) Assert.True(double.IsNaN(Value(name, back[i])));
            else Assert.Equal(bits[i], back[i]);
        }
    }

    /// <summary>Halfway points, and what rounding to float32 in between would get wrong.</summary>
    [Theory]
    [InlineData("F16")]
    [InlineData("BF16")]
    public void Float64_is_rounded_once_to_the_nearest_value_and_to_the_even_one_of_two(string name)
    {
        var infinity = name == "F16" ? 0x7C00 : 0x7F80;
        double[] extremes = [double.NaN, double.MaxValue, -double.MaxValue, double.Epsilon, -double.Epsilon, 1e39, 1e-46, 65520];
        var values = extremes.ToList();
        for (var bits = 0; bits < infinity; bits += bits < 64 ? 1 : 37)
        {
            var middle = (Value(name, (ushort)bits) + Next(name, bits, infinity)) / 2;
            values.AddRange([middle, Math.BitIncrement(middle), Math.BitDecrement(middle), -middle, -Math.BitIncrement(middle)]);
        }
        var random = new Random(1);
        for (var i = 0; i < 5_001; i++) values.Add((random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-160, 140)));

        var rounded = MemoryMarshal.Cast<byte, ushort>(Narrow(name, [.. values]));

        for (var i = 0; i < values.Count; i++)
        {
            if (double.IsNaN(values[i])) Assert.True(double.IsNaN(Value(name, rounded[i])));
            else Assert.True(Nearest(name, values[i], infinity) == rounded[i], $"{values[i]:R} became {rounded[i]:x4}");
        }
    }

    [Theory]
    [InlineData("F32")]
    [InlineData("F64")]
    public void Wider_types_are_the_hardwares_own(string name)
    {
        double[] values = [0, -0.0, 1, -1 / 3.0, 1e-42, double.Epsilon, 1e300, double.NaN, double.PositiveInfinity, 16777217, 16777219];

        var back = Widen(name, Narrow(name, values));

        Assert.Equal(values.Select(value => name == "F32" ? (double)(float)value : value), back);
        Assert.True(double.IsNegative(back[1]));
    }

    private static double[] Widen(string name, ReadOnlySpan<byte> bytes)
    {
        var type = ElementType.Named(name)!;
        var values = new double[bytes.Length / type.Size];
        FloatConversion.Widen(type, bytes, values, new float[values.Length]);
        return values;
    }

    private static byte[] Narrow(string name, double[] values)
    {
        var type = ElementType.Named(name)!;
        var bytes = new byte[values.Length * type.Size];
        FloatConversion.Narrow(type, values, bytes, new float[values.Length]);
        return bytes;
    }

    private static double Value(string name, ushort bits) => name == "F16"
        ? (double)BitConverter.UInt16BitsToHalf(bits)
        : BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>The next value up; for infinity what an exponent more would give, which rounding goes by (IEEE 754).</summary>
    private static double Next(string name, int bits, int infinity)
    {
        if (bits + 1 < infinity) return Value(name, (ushort)(bits + 1));
        return name == "F16" ? Math.Pow(2, 16) : Math.Pow(2, 128);
    }

    /// <summary>By search: the magnitudes rise with the bits.</summary>
    private static ushort Nearest(string name, double value, int infinity)
    {
        var (low, high) = (0, infinity);
        while (high - low > 1)
        {
            var between = (low + high) / 2;
            if (Value(name, (ushort)between) <= Math.Abs(value)) low = between;
            else high = between;
        }
        var below = Math.Abs(value) - Value(name, (ushort)low);
        var above = Next(name, low, infinity) - Math.Abs(value);
        var isUp = above < below || (above == below && low % 2 == 1);
        return (ushort)((isUp ? low + 1 : low) | (double.IsNegative(value) ? 0x8000 : 0));
    }
}
