using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MedMerge.Data.Formats.Images;

/// <summary>
/// Resizes images: a side that shrinks by area (every source pixel counts by the share of it that a result's pixel covers), one that grows
/// linearly. The arithmetic is Pillow's, whose results it repeats: BOX and BILINEAR in <c>Resample.c</c>, columns first, fixed-point
/// coefficients of 22 bits, a rounding to bytes between the two.
/// </summary>
internal static class ImageResampler
{
    private const int PrecisionBits = 22;
    private const int Half = 1 << (PrecisionBits - 1);

    // Their loops are long: without it half of a folder is read before the runtime has optimised them.
    private const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;

    /// <summary>Resizes to a width and a height.</summary>
    public static DecodedImage Resize(DecodedImage image, int width, int height)
    {
        var narrowed = width == image.Width ? image : ResizeRows(image, new Filter(image.Width, width), width);
        return height == image.Height ? narrowed : ResizeColumns(narrowed, new Filter(image.Height, height), height);
    }

    [MethodImpl(Hot)]
    private static DecodedImage ResizeRows(DecodedImage image, Filter filter, int width)
    {
        var channels = image.Channels;
        var pixels = new byte[image.Height * width * channels];
        var sums = new int[image.Width + 1];
        for (var y = 0; y < image.Height; y++)
        {
            var row = image.Pixels.AsSpan(y * image.Width * channels, image.Width * channels);
            var result = pixels.AsSpan(y * width * channels, width * channels);
            for (var channel = 0; channel < channels; channel++)
            {
                if (filter.IsBox) AddUp(row, channel, channels, sums);
                for (var x = 0; x < width; x++)
                {
                    var taps = filter.GetTaps(x, out var first);
                    var sum = filter.IsBox
                        ? (sums[first + taps.Length] - sums[first]) * taps[0]
                        : Weigh(row, (first * channels) + channel, channels, taps);
                    result[(x * channels) + channel] = Round(sum);
                }
            }
        }
        return new DecodedImage(width, image.Height, channels, pixels);
    }

    /// <summary>For each pixel the sum of those before it, so that a box takes one difference however wide it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddUp(ReadOnlySpan<byte> values, int start, int step, Span<int> sums)
    {
        var sum = 0;
        for (var i = 0; i < sums.Length - 1; i++)
        {
            sum += values[start + (i * step)];
            sums[i + 1] = sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Weigh(ReadOnlySpan<byte> values, int start, int step, ReadOnlySpan<int> taps)
    {
        var sum = 0;
        for (var tap = 0; tap < taps.Length; tap++) sum += values[start + (tap * step)] * taps[tap];
        return sum;
    }

    [MethodImpl(Hot)]
    private static DecodedImage ResizeColumns(DecodedImage image, Filter filter, int height)
    {
        var stride = image.Width * image.Channels;
        var pixels = new byte[height * stride];
        for (var y = 0; y < height; y++)
        {
            var taps = filter.GetTaps(y, out var first);
            var covered = image.Pixels.AsSpan(first * stride, taps.Length * stride);
            var result = pixels.AsSpan(y * stride, stride);
            if (stride < Vector128<byte>.Count)
            {
                for (var x = 0; x < stride; x++) result[x] = Round(Weigh(covered, x, stride, taps));
                continue;
            }
            for (var x = 0; x < stride; x += Vector128<byte>.Count)
            {
                var start = Math.Min(x, stride - Vector128<byte>.Count); // the last ones overlap those before
                WeighVector(covered, start, stride, taps).CopyTo(result[start..]);
            }
        }
        return new DecodedImage(image.Width, height, image.Channels, pixels);
    }

    /// <summary>As many neighbouring columns as a vector of bytes has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> WeighVector(ReadOnlySpan<byte> values, int start, int step, ReadOnlySpan<int> taps)
    {
        Vector128<uint> a, b, c, d;
        a = b = c = d = Vector128.Create((uint)Half);
        for (var tap = 0; tap < taps.Length; tap++)
        {
            var weight = (uint)taps[tap];
            var (low, high) = Vector128.Widen(Vector128.Create(values.Slice(start + (tap * step), Vector128<byte>.Count)));
            var (first, second) = Vector128.Widen(low);
            var (third, fourth) = Vector128.Widen(high);
            a += first * weight;
            b += second * weight;
            c += third * weight;
            d += fourth * weight;
        }
        return Vector128.Narrow(Vector128.Narrow(Round(a), Round(b)), Vector128.Narrow(Round(c), Round(d)));

        static Vector128<uint> Round(Vector128<uint> sum) => Vector128.Min(sum >> PrecisionBits, Vector128.Create((uint)byte.MaxValue));
    }

    /// <summary>No share is negative, but those of very many pixels may add up to a little more than one.</summary>
    private static byte Round(int sum) => (byte)Math.Min((sum + Half) >> PrecisionBits, byte.MaxValue);

    /// <summary>Which source pixels a pixel of the result is made of, and their shares.</summary>
    private sealed class Filter
    {
        private readonly int[] _first;
        private readonly int[][] _taps;

        public Filter(int from, int to)
        {
            (_first, _taps) = (new int[to], new int[to][]);
            var scale = (double)from / to;
            IsBox = scale > 1;
            var support = IsBox ? scale / 2 : 1;
            for (var i = 0; i < to; i++)
            {
                var centre = (i + 0.5) * scale;
                var first = Math.Max((int)(centre - support + 0.5), 0);
                var end = Math.Min((int)(centre + support + 0.5), from);
                // A pixel that only touches the result's counts nothing.
                while (Share(first) == 0) first++;
                while (Share(end - 1) == 0) end--;
                var sum = 0.0;
                for (var k = first; k < end; k++) sum += Share(k);
                _first[i] = first;
                _taps[i] = new int[end - first];
                for (var k = first; k < end; k++) _taps[i][k - first] = (int)((Share(k) / sum * (1 << PrecisionBits)) + 0.5);

                double Share(int pixel)
                {
                    var distance = pixel - centre + 0.5;
                    return IsBox ? Box(distance / scale) : Triangle(distance);
                }
            }
        }

        /// <summary>Whether the source pixels of a result's pixel all count alike.</summary>
        public bool IsBox { get; }

        public ReadOnlySpan<int> GetTaps(int index, out int first)
        {
            first = _first[index];
            return _taps[index];
        }

        private static double Box(double x) => x is > -0.5 and <= 0.5 ? 1 : 0;

        private static double Triangle(double x) => Math.Max(1 - Math.Abs(x), 0);
    }
}
