using MedMerge.Data.Formats.Images;

namespace MedMerge.Data.Checks;

/// <summary>An image without what copies of it lose or change: its size, its brightness and contrast, its colours.</summary>
internal sealed class ImageFingerprint
{
    /// <summary>Pixels from side to side.</summary>
    public const int Side = ImageSection.Side;

    /// <summary>Frequencies of the coarse features in each direction.</summary>
    public const int Frequencies = 8;

    private const float MinDeviation = 1; // of 255, below which an image shows nothing

    private static readonly float[] Cosines = CreateCosines();

    private ImageFingerprint(float[] pixels) => Pixels = pixels;

    /// <summary>[side × side], with mean 0 and Euclidean norm 1.</summary>
    public float[] Pixels { get; }

    /// <summary>Of an image; null if it shows nothing.</summary>
    public static ImageFingerprint? Of(DecodedImage image)
    {
        var pixels = Array.ConvertAll(ImageResampler.Resize(image.WithChannels(1), Side, Side).Pixels, value => (float)value);
        return Normalise(pixels) < MinDeviation * Side ? null : new ImageFingerprint(pixels);
    }

    /// <summary>
    /// The low frequencies of the discrete cosine transform (type II) of an image's section, without the mean, of norm 1. In the order
    /// in which mirroring changes their signs: first those with an even number of half waves in both directions, then those odd from left
    /// to right, those odd from top to bottom, those odd in both; frequencies² / 4 of each.
    /// </summary>
    public float[] GetFeatures(ImageSection section)
    {
        var rows = new float[Side * Frequencies];
        for (var y = 0; y < Side; y++)
        {
            for (var x = 0; x < Side; x++)
            {
                var value = section.Sample(Pixels, y, x);
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
        var mirrored = new float[Pixels.Length];
        for (var y = 0; y < Side; y++)
        {
            var from = mirroring.HasFlag(Mirroring.TopToBottom) ? Side - 1 - y : y;
            var row = mirrored.AsSpan(y * Side, Side);
            Pixels.AsSpan(from * Side, Side).CopyTo(row);
            if (mirroring.HasFlag(Mirroring.LeftToRight)) row.Reverse();
        }
        return mirrored;
    }

    private static int GetPlace(int u, int v)
    {
        const int Half = Frequencies / 2;
        var group = ((u & 1) << 1) | (v & 1);
        return (group * Half * Half) + (u / 2 * Half) + (v / 2);
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
