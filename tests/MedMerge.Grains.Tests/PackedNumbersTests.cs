using CsCheck;

namespace MedMerge.Grains.Tests;

public sealed class PackedNumbersTests
{
    private const int FloatsPerPart = PackedNumbers.MaxBytes / sizeof(float);

    [Fact]
    public void Numbers_come_back_bit_by_bit() =>
        Gen.Double.Array[0, 40].Sample(numbers => Assert.Equal(Bits(numbers), Bits(RoundTrip(numbers))));

    [Fact]
    public void Values_that_are_not_numbers_come_back_too()
    {
        double[] odd = [double.NaN, BitConverter.Int64BitsToDouble(0x7FF0_0000_0000_0001), double.NegativeInfinity, -0.0, double.Epsilon];
        Assert.Equal(Bits(odd), Bits(RoundTrip(odd)));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(FloatsPerPart, 1)]
    [InlineData(FloatsPerPart + 1, 2)]
    [InlineData((2 * FloatsPerPart) + 17, 3)]
    public void Parts_put_together_are_the_whole(int length, int parts)
    {
        var whole = Enumerable.Range(0, length).Select(i => (float)i).ToArray();
        Assert.Equal(whole, RoundTrip(whole));
        Assert.Equal(parts, PackedNumbers.Offsets(length * sizeof(float)).Count());
    }

    [Fact]
    public void Any_flipped_bit_is_refused() => Gen.Select(Gen.Double.Array[1, 20], Gen.Int[0, int.MaxValue]).Sample((values, bit) =>
    {
        var numbers = PackedNumbers.Pack(values, offset: 0);
        var at = bit % (numbers.Bytes.Length * 8);
        numbers.Bytes[at / 8] ^= (byte)(1 << (at % 8));
        Assert.Throws<InvalidDataException>(() => numbers.Unpack(new double[values.Length]));
        numbers.Bytes[at / 8] ^= (byte)(1 << (at % 8));
        var other = numbers with { Checksum = numbers.Checksum ^ (1UL << (bit % 64)) };
        Assert.Throws<InvalidDataException>(() => other.Unpack(new double[values.Length]));
    });

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public void Another_number_of_numbers_is_refused(int length) =>
        Assert.Throws<InvalidDataException>(() => PackedNumbers.Pack([1.0, 2, 3, 4, 5], offset: 0).Unpack(new double[length]));

    [Theory]
    [InlineData(-8)]
    [InlineData(8)]
    [InlineData(24)]
    public void A_part_that_has_no_place_is_refused(int offset)
    {
        var part = PackedNumbers.Pack([1.0, 2], offset: 0) with { Offset = offset };
        Assert.Throws<InvalidDataException>(() => part.Unpack(new double[2]));
    }

    private static T[] RoundTrip<T>(T[] numbers)
        where T : unmanaged
    {
        var back = new T[numbers.Length];
        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(numbers.AsSpan()).Length;
        foreach (var offset in PackedNumbers.Offsets(bytes)) PackedNumbers.Pack(numbers, offset).Unpack(back);
        return back;
    }

    private static long[] Bits(double[] values) => [.. values.Select(BitConverter.DoubleToInt64Bits)];
}
