using CsCheck;

namespace MedMerge.Grains.Tests;

public sealed class NumbersTests
{
    [Fact]
    public void Parts_come_back_bit_by_bit() => Gen.Double.Array[0, 20].Array[0, 5].Sample(parts =>
    {
        var back = PackedNumbers.Of(parts).Split([.. parts.Select(part => part.Length)]);
        Assert.Equal(parts.Select(Bits), back.Select(Bits));
    });

    [Fact]
    public void Numbers_that_are_none_come_back_too()
    {
        double[] odd = [double.NaN, BitConverter.Int64BitsToDouble(0x7FF0_0000_0000_0001), double.NegativeInfinity, -0.0, double.Epsilon];
        Assert.Equal(Bits(odd), Bits(PackedNumbers.Of(odd).Split(odd.Length)[0]));
    }

    [Fact]
    public void Any_flipped_bit_is_refused() => Gen.Select(Gen.Double.Array[1, 20], Gen.Int[0, int.MaxValue]).Sample((values, bit) =>
    {
        var numbers = PackedNumbers.Of(values);
        var at = bit % (numbers.Bytes.Length * 8);
        numbers.Bytes[at / 8] ^= (byte)(1 << (at % 8));
        Assert.Throws<InvalidDataException>(() => numbers.Split(values.Length));
        numbers.Bytes[at / 8] ^= (byte)(1 << (at % 8));
        Assert.Throws<InvalidDataException>(() => (numbers with { Checksum = numbers.Checksum ^ (1UL << (bit % 64)) }).Split(values.Length));
    });

    [Theory]
    [InlineData(3, 1)]
    [InlineData(3, 3)]
    [InlineData(4)]
    [InlineData(6, 0)]
    public void Another_number_of_numbers_is_refused(params int[] lengths) => Assert.Throws<InvalidDataException>(() => PackedNumbers.Of([1, 2, 3], [4, 5]).Split(lengths));

    [Fact]
    public void Half_a_number_is_refused()
    {
        byte[] bytes = [.. PackedNumbers.Of([1, 2]).Bytes, 0, 0, 0];
        var numbers = new PackedNumbers(bytes, System.IO.Hashing.XxHash3.HashToUInt64(bytes));
        Assert.Throws<InvalidDataException>(() => numbers.Split(2));
    }

    private static long[] Bits(double[] values) => [.. values.Select(BitConverter.DoubleToInt64Bits)];
}
