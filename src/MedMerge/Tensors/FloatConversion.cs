using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace MedMerge.Tensors;

/// <summary>Floating-point values of weight files to float64 and back, rounded once, to nearest, ties to even.</summary>
internal static class FloatConversion
{
    private const uint FloatInfinity = 0x7F800000;
    private const uint QuietBit = 0x0040; // of a BF16 NaN

    /// <summary>Float64 of values as a file has them.</summary>
    /// <param name="type">A floating-point type.</param>
    /// <param name="bytes">The values, little-endian.</param>
    /// <param name="values">As many as there are.</param>
    /// <param name="singles">Scratch of that length.</param>
    public static void Widen(ElementType type, ReadOnlySpan<byte> bytes, Span<double> values, Span<float> singles)
    {
        switch (type.Name)
        {
            case "F64":
                MemoryMarshal.Cast<byte, double>(bytes).CopyTo(values);
                break;
            case "F32":
                FilterArithmetic.Widen(MemoryMarshal.Cast<byte, float>(bytes), values);
                break;
            case "F16":
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(bytes), singles);
                TensorPrimitives.ConvertTruncating<float, double>(singles, values);
                break;
            case "BF16":
                WidenBFloat16(MemoryMarshal.Cast<byte, ushort>(bytes), singles);
                TensorPrimitives.ConvertTruncating<float, double>(singles, values);
                break;
            default:
                throw new ArgumentException($"{type.Name} is no floating-point type.", nameof(type));
        }
    }

    /// <summary>Values as a file has them, of float64.</summary>
    /// <inheritdoc cref="Widen" />
    public static void Narrow(ElementType type, ReadOnlySpan<double> values, Span<byte> bytes, Span<float> singles)
    {
        switch (type.Name)
        {
            case "F64":
                values.CopyTo(MemoryMarshal.Cast<byte, double>(bytes));
                break;
            case "F32":
                FilterArithmetic.Round(values, MemoryMarshal.Cast<byte, float>(bytes));
                break;
            case "F16":
                RoundToOdd(values, singles);
                TensorPrimitives.ConvertToHalf(singles, MemoryMarshal.Cast<byte, Half>(bytes));
                break;
            case "BF16":
                RoundToOdd(values, singles);
                NarrowBFloat16(singles, MemoryMarshal.Cast<byte, ushort>(bytes));
                break;
            default:
                throw new ArgumentException($"{type.Name} is no floating-point type.", nameof(type));
        }
    }

    /// <summary>
    /// Float32 of float64, rounded to odd: where a value is not exact, the neighbour whose last bit is 1. Rounding that to 22 bits or fewer
    /// gives what rounding the float64 gives (Boldo and Melquiond 2008), where two roundings to nearest may not.
    /// </summary>
    private static void RoundToOdd(ReadOnlySpan<double> values, Span<float> singles)
    {
        var step = Vector<float>.Count;
        var half = Vector<double>.Count;
        var i = 0;
        for (; i <= values.Length - step; i += step)
        {
            var low = new Vector<double>(values[i..]);
            var high = new Vector<double>(values[(i + half)..]);
            var nearest = Vector.Narrow(low, high);
            Vector.Widen(nearest, out var lowBack, out var highBack);
            var isInexact = Vector.Narrow(IsInexact(low, lowBack), IsInexact(high, highBack));
            var isBeyond = Vector.Narrow(IsBeyond(low, lowBack), IsBeyond(high, highBack));
            var towardsZero = Vector.AsVectorInt32(nearest) + isBeyond; // a mask is -1
            Vector.AsVectorSingle(towardsZero | (isInexact & Vector<int>.One)).CopyTo(singles[i..]);
        }
        for (; i < values.Length; i++) singles[i] = RoundToOdd(values[i]);
    }

    private static float RoundToOdd(double value)
    {
        var nearest = (float)value;
        if (nearest == value || double.IsNaN(value)) return nearest;
        var isBeyond = Math.Abs((double)nearest) > Math.Abs(value);
        var towardsZero = BitConverter.SingleToInt32Bits(nearest) - (isBeyond ? 1 : 0);
        return BitConverter.Int32BitsToSingle(towardsZero | 1);
    }

    /// <summary>False for NaN.</summary>
    private static Vector<long> IsInexact(Vector<double> value, Vector<double> back) =>
        Vector.AndNot(Vector.Equals(value, value), Vector.Equals(value, back));

    private static Vector<long> IsBeyond(Vector<double> value, Vector<double> back) =>
        Vector.GreaterThan(Vector.Abs(back), Vector.Abs(value));

    private static void WidenBFloat16(ReadOnlySpan<ushort> values, Span<float> singles)
    {
        var bits = MemoryMarshal.Cast<float, uint>(singles);
        var i = 0;
        for (; i <= values.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(values[i..]), out var low, out var high);
            (low << 16).CopyTo(bits[i..]);
            (high << 16).CopyTo(bits[(i + Vector<uint>.Count)..]);
        }
        for (; i < values.Length; i++) bits[i] = (uint)values[i] << 16;
    }

    private static void NarrowBFloat16(ReadOnlySpan<float> singles, Span<ushort> values)
    {
        var bits = MemoryMarshal.Cast<float, uint>(singles);
        var i = 0;
        for (; i <= values.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            var low = NarrowBFloat16(new Vector<uint>(bits[i..]));
            var high = NarrowBFloat16(new Vector<uint>(bits[(i + Vector<uint>.Count)..]));
            Vector.Narrow(low, high).CopyTo(values[i..]);
        }
        for (; i < values.Length; i++) values[i] = (ushort)NarrowBFloat16(new Vector<uint>(bits[i]))[0];
    }

    /// <summary>To nearest, ties to even; a NaN stays one.</summary>
    private static Vector<uint> NarrowBFloat16(Vector<uint> bits)
    {
        var top = bits >>> 16;
        var isNaN = Vector.GreaterThan(bits & new Vector<uint>(int.MaxValue), new Vector<uint>(FloatInfinity));
        var rounded = (bits + new Vector<uint>(0x7FFF) + (top & Vector<uint>.One)) >>> 16;
        return Vector.ConditionalSelect(isNaN, top | new Vector<uint>(QuietBit), rounded);
    }
}
