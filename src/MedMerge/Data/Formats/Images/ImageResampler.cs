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

    /// <summary>Resizes to a width and a height.</summary>
    public static DecodedImage Resize(DecodedImage image, int width, int height)
    {
        var narrowed = width == image.Width ? image : ResizeRows(image, new Filter(image.Width, width), width);
        return height == image.Height ? narrowed : ResizeColumns(narrowed, new Filter(image.Height, height), height);
    }

    private static DecodedImage ResizeRows(DecodedImage image, Filter filter, int width)
    {
        var channels = image.Channels;
        var pixels = new byte[image.Height * width * channels];
        for (var y = 0; y < image.Height; y++)
        {
            var row = image.Pixels.AsSpan(y * image.Width * channels, image.Width * channels);
            var result = pixels.AsSpan(y * width * channels, width * channels);
            for (var x = 0; x < width; x++)
            {
                var taps = filter.GetTaps(x, out var first);
                for (var channel = 0; channel < channels; channel++)
                {
                    var sum = Half;
                    for (var tap = 0; tap < taps.Length; tap++) sum += row[((first + tap) * channels) + channel] * taps[tap];
                    result[(x * channels) + channel] = Clip(sum);
                }
            }
        }
        return new DecodedImage(width, image.Height, channels, pixels);
    }

    private static DecodedImage ResizeColumns(DecodedImage image, Filter filter, int height)
    {
        var stride = image.Width * image.Channels;
        var pixels = new byte[height * stride];
        var sums = new int[stride];
        for (var y = 0; y < height; y++)
        {
            var taps = filter.GetTaps(y, out var first);
            sums.AsSpan().Fill(Half);
            for (var tap = 0; tap < taps.Length; tap++)
            {
                var row = image.Pixels.AsSpan((first + tap) * stride, stride);
                for (var x = 0; x < row.Length; x++) sums[x] += row[x] * taps[tap];
            }
            var result = pixels.AsSpan(y * stride, stride);
            for (var x = 0; x < result.Length; x++) result[x] = Clip(sums[x]);
        }
        return new DecodedImage(image.Width, height, image.Channels, pixels);
    }

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> PrecisionBits, 0, byte.MaxValue);

    /// <summary>Which source pixels a pixel of the result is made of, and their shares.</summary>
    private sealed class Filter
    {
        private readonly int[] _first;
        private readonly int[][] _taps;

        public Filter(int from, int to)
        {
            (_first, _taps) = (new int[to], new int[to][]);
            var scale = (double)from / to;
            var support = scale > 1 ? scale / 2 : 1;
            for (var i = 0; i < to; i++)
            {
                var centre = (i + 0.5) * scale;
                var first = Math.Max((int)(centre - support + 0.5), 0);
                var end = Math.Min((int)(centre + support + 0.5), from);
                var shares = new double[end - first];
                for (var k = 0; k < shares.Length; k++)
                {
                    var distance = first + k - centre + 0.5;
                    shares[k] = scale > 1 ? Box(distance / scale) : Triangle(distance);
                }
                var sum = shares.Sum();
                _first[i] = first;
                _taps[i] = [.. shares.Select(share => (int)((share / sum * (1 << PrecisionBits)) + 0.5))];
            }
        }

        public ReadOnlySpan<int> GetTaps(int index, out int first)
        {
            first = _first[index];
            return _taps[index];
        }

        private static double Box(double x) => x is > -0.5 and <= 0.5 ? 1 : 0;

        private static double Triangle(double x) => Math.Max(1 - Math.Abs(x), 0);
    }
}
