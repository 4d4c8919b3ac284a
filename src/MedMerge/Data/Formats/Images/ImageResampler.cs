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
    private const int BandRows = 64;

    // Their loops are long: without it half of a folder is read before the runtime has optimised them.
    private const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;

    /// <summary>Resizes to a width and a height.</summary>
    public static DecodedImage Resize(DecodedImage image, int width, int height)
    {
        var narrowed = width == image.Width ? image.Pixels : ResizeWidth(image, width);
        if (height == image.Height) return new DecodedImage(width, height, image.Channels, narrowed);
        var pixels = new byte[height * width * image.Channels];
        Weigh(narrowed, width * image.Channels, new Filter(image.Height, height), pixels);
        return new DecodedImage(width, height, image.Channels, pixels);
    }

    /// <summary>
    /// Band by band, and each transposed, so that pixels that are weighed together lie below each other: then a vector takes the sums of
    /// many rows at once.
    /// </summary>
    private static byte[] ResizeWidth(DecodedImage image, int width)
    {
        var filter = new Filter(image.Width, width);
        var (from, to) = (image.Width * image.Channels, width * image.Channels);
        var result = new byte[image.Height * to];
        var band = new byte[BandRows * from];
        var narrowed = new byte[BandRows * to];
        for (var y = 0; y < image.Height; y += BandRows)
        {
            var rows = Math.Min(BandRows, image.Height - y);
            ByteMatrix.Transpose(image.Pixels.AsSpan(y * from, rows * from), rows, from, band);
            Weigh(band, rows * image.Channels, filter, narrowed);
            ByteMatrix.Transpose(narrowed, to, rows, result.AsSpan(y * to));
        }
        return result;
    }

    /// <summary>Each row of the result is a weighted sum of some of the matrix's.</summary>
    [MethodImpl(Hot)]
    private static void Weigh(ReadOnlySpan<byte> matrix, int columns, Filter filter, Span<byte> result)
    {
        for (var y = 0; y < filter.Count; y++)
        {
            var taps = filter.GetTaps(y, out var first);
            var covered = matrix.Slice(first * columns, taps.Length * columns);
            var row = result.Slice(y * columns, columns);
            if (columns < Vector128<byte>.Count)
            {
                for (var x = 0; x < columns; x++) row[x] = WeighOne(covered[x..], columns, taps);
                continue;
            }
            for (var x = 0; x < columns; x += Vector128<byte>.Count)
            {
                var start = Math.Min(x, columns - Vector128<byte>.Count); // the last ones overlap those before
                WeighVector(covered[start..], columns, taps).CopyTo(row[start..]);
            }
        }
    }

    /// <summary>No share is negative, but those of very many pixels may add up to a little more than one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte WeighOne(ReadOnlySpan<byte> values, int step, ReadOnlySpan<int> taps)
    {
        var sum = Half;
        for (var tap = 0; tap < taps.Length; tap++) sum += values[tap * step] * taps[tap];
        return (byte)Math.Min(sum >> PrecisionBits, byte.MaxValue);
    }

    /// <summary>As many neighbouring columns as a vector of bytes has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> WeighVector(ReadOnlySpan<byte> values, int step, ReadOnlySpan<int> taps)
    {
        Vector128<uint> a, b, c, d;
        a = b = c = d = Vector128.Create((uint)Half);
        for (var tap = 0; tap < taps.Length; tap++)
        {
            var weight = (uint)taps[tap];
            var (low, high) = Vector128.Widen(Vector128.Create(values.Slice(tap * step, Vector128<byte>.Count)));
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

    /// <summary>Which source pixels a pixel of the result is made of, and their shares.</summary>
    private sealed class Filter
    {
        private readonly int[] _first;
        private readonly int[][] _taps;

        public Filter(int from, int to)
        {
            (_first, _taps) = (new int[to], new int[to][]);
            var scale = (double)from / to;
            var isBox = scale > 1;
            var support = isBox ? scale / 2 : 1;
            for (var i = 0; i < to; i++)
            {
                var centre = (i + 0.5) * scale;
                var first = Math.Max((int)(centre - support + 0.5), 0);
                var end = Math.Min((int)(centre + support + 0.5), from);
                // A pixel that only touches the result's counts nothing.
                while (Share(first) == 0) first++;
                while (Share(end - 1) == 0) end--;
                _first[i] = first;
                _taps[i] = new int[end - first];
                if (isBox)
                {
                    _taps[i].AsSpan().Fill(ToFixedPoint(1.0 / _taps[i].Length)); // all count alike
                    continue;
                }
                var sum = 0.0;
                for (var k = first; k < end; k++) sum += Share(k);
                for (var k = first; k < end; k++) _taps[i][k - first] = ToFixedPoint(Share(k) / sum);

                double Share(int pixel)
                {
                    var distance = pixel - centre + 0.5;
                    return isBox ? Box(distance / scale) : Triangle(distance);
                }
            }
        }

        /// <summary>The result's pixels.</summary>
        public int Count => _first.Length;

        public ReadOnlySpan<int> GetTaps(int index, out int first)
        {
            first = _first[index];
            return _taps[index];
        }

        private static int ToFixedPoint(double share) => (int)((share * (1 << PrecisionBits)) + 0.5);

        private static double Box(double x) => x is > -0.5 and <= 0.5 ? 1 : 0;

        private static double Triangle(double x) => Math.Max(1 - Math.Abs(x), 0);
    }
}
