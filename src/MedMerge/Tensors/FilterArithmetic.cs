using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MedMerge.Tensors;

/// <summary>
/// Float32 values in float64 arithmetic, eight at a time. Each value's operations and their order are fixed, and none is fused, so every
/// machine gives the same bits. Compiled at full speed at once: the slow code that the runtime begins with would be most of a short
/// merge.
/// </summary>
internal static class FilterArithmetic
{
    private const int Step = 8; // a Vector256 of float32, two of float64

    /// <summary>result ← factor · values, rounded to float32.</summary>
    /// <param name="result">May be <paramref name="values"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(ReadOnlySpan<float> values, double factor, Span<float> result)
    {
        CheckLength(values.Length, result.Length);
        ref var from = ref MemoryMarshal.GetReference(values);
        ref var to = ref MemoryMarshal.GetReference(result);
        var factors = Vector256.Create(factor);
        var i = 0;
        for (; i <= values.Length - Step; i += Step)
        {
            var (low, high) = Vector256.Widen(Vector256.LoadUnsafe(ref from, (nuint)i));
            Vector256.Narrow(low * factors, high * factors).StoreUnsafe(ref to, (nuint)i);
        }
        for (; i < values.Length; i++) result[i] = (float)(values[i] * factor);
    }

    /// <summary>sum ← sum + weight · values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled(ReadOnlySpan<float> values, double weight, Span<double> sum)
    {
        CheckLength(values.Length, sum.Length);
        ref var from = ref MemoryMarshal.GetReference(values);
        ref var to = ref MemoryMarshal.GetReference(sum);
        var weights = Vector256.Create(weight);
        var i = 0;
        for (; i <= values.Length - Step; i += Step)
        {
            var (low, high) = Vector256.Widen(Vector256.LoadUnsafe(ref from, (nuint)i));
            (Vector256.LoadUnsafe(ref to, (nuint)i) + (low * weights)).StoreUnsafe(ref to, (nuint)i);
            (Vector256.LoadUnsafe(ref to, (nuint)i + 4) + (high * weights)).StoreUnsafe(ref to, (nuint)i + 4);
        }
        for (; i < values.Length; i++) sum[i] += values[i] * weight;
    }

    /// <summary>sum ← sum + weights · values, each weight for as many of the values, in their order.</summary>
    public static void AddWeighted(ReadOnlySpan<float> values, ReadOnlySpan<double> weights, Span<double> sum)
    {
        var length = values.Length / weights.Length;
        for (var unit = 0; unit < weights.Length; unit++)
        {
            if (length == 1) sum[unit] += values[unit] * weights[unit];
            else AddScaled(values.Slice(unit * length, length), weights[unit], sum.Slice(unit * length, length));
        }
    }

    /// <summary>Float64 of float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Widen(ReadOnlySpan<float> values, Span<double> result)
    {
        CheckLength(values.Length, result.Length);
        ref var from = ref MemoryMarshal.GetReference(values);
        ref var to = ref MemoryMarshal.GetReference(result);
        var i = 0;
        for (; i <= values.Length - Step; i += Step)
        {
            var (low, high) = Vector256.Widen(Vector256.LoadUnsafe(ref from, (nuint)i));
            low.StoreUnsafe(ref to, (nuint)i);
            high.StoreUnsafe(ref to, (nuint)i + 4);
        }
        for (; i < values.Length; i++) result[i] = values[i];
    }

    /// <inheritdoc cref="Widen(ReadOnlySpan{float}, Span{double})" />
    public static double[] Widen(float[] values) => Array.ConvertAll(values, value => (double)value);

    /// <summary>Σab, Σa² and Σb².</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (double Product, double FirstSquares, double SecondSquares) Products(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        CheckLength(a.Length, b.Length);
        ref var first = ref MemoryMarshal.GetReference(a);
        ref var second = ref MemoryMarshal.GetReference(b);
        var products = Vector256<double>.Zero;
        var firstSquares = Vector256<double>.Zero;
        var secondSquares = Vector256<double>.Zero;
        var i = 0;
        for (; i <= a.Length - Vector256<double>.Count; i += Vector256<double>.Count)
        {
            var x = Vector256.LoadUnsafe(ref first, (nuint)i);
            var y = Vector256.LoadUnsafe(ref second, (nuint)i);
            products += x * y;
            firstSquares += x * x;
            secondSquares += y * y;
        }
        var (product, squares, others) = (AddUp(products), AddUp(firstSquares), AddUp(secondSquares));
        for (; i < a.Length; i++)
        {
            product += a[i] * b[i];
            squares += a[i] * a[i];
            others += b[i] * b[i];
        }
        return (product, squares, others);
    }

    /// <summary>Rounds to float32, to nearest, ties to even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Round(ReadOnlySpan<double> values, Span<float> result)
    {
        CheckLength(values.Length, result.Length);
        ref var from = ref MemoryMarshal.GetReference(values);
        ref var to = ref MemoryMarshal.GetReference(result);
        var i = 0;
        for (; i <= values.Length - Step; i += Step)
        {
            var low = Vector256.LoadUnsafe(ref from, (nuint)i);
            Vector256.Narrow(low, Vector256.LoadUnsafe(ref from, (nuint)i + 4)).StoreUnsafe(ref to, (nuint)i);
        }
        for (; i < values.Length; i++) result[i] = (float)values[i];
    }

    /// <inheritdoc cref="Round(ReadOnlySpan{double}, Span{float})" />
    public static float[] Round(double[] values) => Array.ConvertAll(values, value => (float)value);

    /// <summary>The Euclidean norm.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Norm(ReadOnlySpan<float> values)
    {
        ref var from = ref MemoryMarshal.GetReference(values);
        var lowSums = Vector256<double>.Zero;
        var highSums = Vector256<double>.Zero;
        var i = 0;
        for (; i <= values.Length - Step; i += Step)
        {
            var (low, high) = Vector256.Widen(Vector256.LoadUnsafe(ref from, (nuint)i));
            lowSums += low * low;
            highSums += high * high;
        }
        var sum = AddUp(lowSums + highSums);
        for (; i < values.Length; i++) sum += (double)values[i] * values[i];
        return Math.Sqrt(sum);
    }

    /// <summary>Whether there is neither a NaN nor an infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool AreFinite(ReadOnlySpan<float> values)
    {
        ref var from = ref MemoryMarshal.GetReference(values);
        var zeros = Vector256<float>.Zero; // 0 · x is NaN where x is not finite, and stays it
        var i = 0;
        for (; i <= values.Length - Step; i += Step) zeros += Vector256.LoadUnsafe(ref from, (nuint)i) * Vector256<float>.Zero;
        var areFinite = Vector256.EqualsAll(zeros, Vector256<float>.Zero);
        for (; i < values.Length; i++) areFinite &= float.IsFinite(values[i]);
        return areFinite;
    }

    private static double AddUp(Vector256<double> sums) => sums[0] + sums[1] + sums[2] + sums[3];

    private static void CheckLength(int values, int result) => ArgumentOutOfRangeException.ThrowIfNotEqual(result, values);
}
