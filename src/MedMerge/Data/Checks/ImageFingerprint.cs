using MedMerge.Data.Formats.Images;

namespace MedMerge.Data.Checks;

/// <summary>An image without what copies of it lose or change: its size, its brightness and contrast, its colours.</summary>
internal sealed class ImageFingerprint
{
    /// <summary>Pixels from side to side.</summary>
    public const int Side = ImageSection.Side;

    /// <summary>Frequencies of the coarse features in each direction.</summary>
    public const int Frequencies = 8;

    /// <summary>Features of half of the frequencies in each direction, the lower half; they come first.</summary>
    public const int LowFeatures = Frequencies * Frequencies / 4;

    private const float MinDeviation = 1; // of 255, below which an image shows nothing

    private static readonly float[] Cosines = CreateCosines();

    private readonly byte[] _grey; // [side × side]; a quarter of what normalised pixels take

    private ImageFingerprint(byte[] grey) => _grey = grey;

    /// <summary>Of an image; null if it shows nothing.</summary>
    public static ImageFingerprint? Of(DecodedImage image)
    {
        var grey = ImageResampler.Resize(image.WithChannels(1), Side, Side).Pixels;
        return Normalise(Array.ConvertAll(grey, value => (float)value)) < MinDeviation * Side ? null : new ImageFingerprint(grey);
    }

    /// <summary>[side × side], with mean 0 and Euclidean norm 1.</summary>
    public float[] GetPixels()
    {
        var pixels = Array.ConvertAll(_grey, value => (float)value);
        Normalise(pixels);
        return pixels;
    }

    /// <summary>
    /// The low frequencies of the discrete cosine transform (type II) of an image's section, without the mean, of norm 1: the
    /// <see cref="LowFeatures"/>, then the others. Both in the order in which mirroring changes their signs: a quarter of them has an even
    /// number of half waves in both directions, the next is odd from left to right, the next odd from top to bottom, the last odd in both.
    /// </summary>
    public float[] GetFeatures(ImageSection section)
    {
        var pixels = GetPixels();
        var rows = new float[Side * Frequencies];
        for (var y = 0; y < Side; y++)
        {
            for (var x = 0; x < Side; x++)
            {
                var value = section.Sample(pixels, y, x);
                for (var v = 0; v < Frequencies; v++) rows[(y * Frequencies) + v] += value * Cosines[(v * Side) + x];
            }
        }
        var features = new float[Frequencies * Frequencies];
        for (var u = 0; u < Frequencies; u++)
        {
            for (var v = 0; v < Frequencies; v++)
            {
                if (u == 0 && v == 0) continue;
                var sum = 0f;
                for (var y = 0; y < Side; y++) sum += rows[(y * Frequencies) + v] * Cosines[(u * Side) + y];
                features[GetPlace(u, v)] = sum;
            }
        }
        Scale(features);
        return features;
    }

    /// <summary>The image mirrored.</summary>
    public float[] Mirror(Mirroring mirroring)
    {
        var pixels = GetPixels();
        var mirrored = new float[pixels.Length];
        for (var y = 0; y < Side; y++)
        {
            var from = mirroring.HasFlag(Mirroring.TopToBottom) ? Side - 1 - y : y;
            var row = mirrored.AsSpan(y * Side, Side);
            pixels.AsSpan(from * Side, Side).CopyTo(row);
            if (mirroring.HasFlag(Mirroring.LeftToRight)) row.Reverse();
        }
        return mirrored;
    }

    private static int GetPlace(int u, int v)
    {
        const int Half = Frequencies / 2;
        const int Quarter = Half / 2;
        var group = ((u & 1) << 1) | (v & 1);
        var (row, column) = (u / 2, v / 2);
        if (row < Quarter && column < Quarter) return (group * Quarter * Quarter) + (row * Quarter) + column;
        // The rest of a group: the right half of its upper rows, then its lower rows.
        var place = row < Quarter ? (row * Quarter) + column - Quarter : (Quarter * Quarter) + ((row - Quarter) * Half) + column;
        return LowFeatures + (group * ((Half * Half) - (Quarter * Quarter))) + place;
    }

    private static float[] CreateCosines()
    {
        var cosines = new float[Frequencies * Side];
        for (var u = 0; u < Frequencies; u++)
        {
            for (var x = 0; x < Side; x++)
            {
                var scale = Math.Sqrt((u == 0 ? 1.0 : 2.0) / Side);
                cosines[(u * Side) + x] = (float)(scale * Math.Cos(Math.PI * (x + 0.5) * u / Side));
            }
        }
        return cosines;
    }

    /// <summary>Takes the mean away and scales to norm 1.</summary>
    /// <returns>The norm before.</returns>
    private static float Normalise(float[] values)
    {
        var mean = values.Average();
        for (var i = 0; i < values.Length; i++) values[i] -= mean;
        return Scale(values);
    }

    private static float Scale(float[] values)
    {
        var norm = MathF.Sqrt(values.Sum(value => value * value));
        if (norm > 0) for (var i = 0; i < values.Length; i++) values[i] /= norm;
        return norm;
    }
}

/// <summary>How an image is mirrored.</summary>
[Flags]
internal enum Mirroring
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>Left and right change places.</summary>
    LeftToRight = 1,

    /// <summary>Top and bottom change places.</summary>
    TopToBottom = 2,
}
