using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MedMerge.Data;

/// <summary>A classification data set of equally sized images, grey (1 channel) or RGB (3).</summary>
internal sealed class ImageDataset(
    string name,
    bool isSynthetic,
    int height,
    int width,
    int channels,
    int classes,
    ImageSplit train,
    ImageSplit validation,
    ImageSplit test)
{
    private readonly Lazy<(double[] Mean, double[] Deviation)> _normalisation = new(() => Measure(train, channels));

    /// <summary>As shown in tables.</summary>
    public string Name { get; } = name;

    /// <summary>Drawn by seed, not taken from patients; shown wherever the data set is named.</summary>
    public bool IsSynthetic { get; } = isSynthetic;

    /// <summary>Pixels from top to bottom.</summary>
    public int Height { get; } = height;

    /// <summary>Pixels from left to right.</summary>
    public int Width { get; } = width;

    /// <summary>1 for grey, 3 for RGB.</summary>
    public int Channels { get; } = channels;

    /// <summary>The number of classes.</summary>
    public int Classes { get; } = classes;

    /// <summary>What models learn from.</summary>
    public ImageSplit Train { get; } = train;

    /// <summary>What epochs are chosen by.</summary>
    public ImageSplit Validation { get; } = validation;

    /// <summary>What models are measured on.</summary>
    public ImageSplit Test { get; } = test;

    /// <summary>SHA-256 over everything that training can see, in hexadecimal.</summary>
    public string ContentHash { get; } = Hash(height, width, channels, classes, train, validation, test);

    /// <summary>Mean and standard deviation of each channel over the training split, values scaled to 0 … 1; measured once.</summary>
    public (double[] Mean, double[] Deviation) Normalisation => _normalisation.Value;

    /// <summary>The name, with "(synthetic)" where it is.</summary>
    public string Title => GetTitle(Name, IsSynthetic);

    /// <summary>A name with "(synthetic)" behind it where it is.</summary>
    internal static string GetTitle(string name, bool isSynthetic) => isSynthetic ? $"{name} (synthetic)" : name;

    /// <summary>The same data set with other training images.</summary>
    public ImageDataset WithTrain(ImageSplit train) => new(Name, IsSynthetic, Height, Width, Channels, Classes, train, Validation, Test);

    /// <summary>Checks what no reader can repair.</summary>
    /// <exception cref="InputException">An empty split, a label out of range, or training data of one class only.</exception>
    public ImageDataset Validated()
    {
        if (Classes < 2)
        {
            throw new InputException(
                $"Data set {Name} has {Classes} class(es); classification needs at least two. " +
                "Are all labels of the training split the same?");
        }
        foreach (var (name, split) in new[] { ("train", Train), ("val", Validation), ("test", Test) })
        {
            if (split.Count == 0) throw new InputException($"Data set {Name}: the split '{name}' is empty.");
            if (split.Pixels.Length != (long)split.Count * Height * Width * Channels)
            {
                throw new InputException(
                    $"Data set {Name}: the split '{name}' has {split.Count} labels, but its images are of another number.");
            }
            var bad = Array.FindIndex(split.Labels, label => label < 0 || label >= Classes);
            if (bad >= 0)
            {
                throw new InputException(
                    $"Data set {Name}: label {split.Labels[bad]} of image {bad} in the split '{name}' is out of range; " +
                    $"there are {Classes} classes (0 to {Classes - 1}).");
            }
            var present = split.Labels.Distinct().Count();
            if (present == 1)
            {
                throw new InputException(
                    $"Data set {Name}: the split '{name}' holds one class only (label {split.Labels[0]}), " +
                    "so no score can be computed on it.");
            }
            if (present < Classes && split == Train)
            {
                var missing = Enumerable.Range(0, Classes).Except(split.Labels).First();
                throw new InputException($"Data set {Name}: no training image has label {missing}.");
            }
        }
        return this;
    }

    private static string Hash(int height, int width, int channels, int classes, params ReadOnlySpan<ImageSplit> splits)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<int>([height, width, channels, classes]));
        foreach (var split in splits)
        {
            hash.AppendData(MemoryMarshal.AsBytes<int>([split.Count]));
            hash.AppendData(split.Pixels);
            hash.AppendData(MemoryMarshal.AsBytes(split.Labels.AsSpan()));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static (double[] Mean, double[] Deviation) Measure(ImageSplit train, int channels)
    {
        var (sums, squares) = (new double[channels], new double[channels]);
        var pixels = train.Pixels;
        for (var i = 0; i < pixels.Length; i++)
        {
            var value = pixels[i] / 255.0;
            sums[i % channels] += value;
            squares[i % channels] += value * value;
        }
        var count = (double)pixels.Length / channels;
        var mean = sums.Select(sum => sum / count).ToArray();
        // A constant channel has no deviation to divide by; 1/255, one grey level, keeps it finite.
        const double MinVariance = 1 / (255.0 * 255.0);
        var deviation = squares.Zip(mean, (square, m) => Math.Sqrt(Math.Max((square / count) - (m * m), MinVariance)));
        return (mean, deviation.ToArray());
    }
}
