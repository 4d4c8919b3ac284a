using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MedMerge.Data;

/// <summary>A classification data set of equally sized images, grey (1 channel) or RGB (3).</summary>
internal sealed class ImageDataset(DatasetInfo info, ImageSplit train, ImageSplit validation, ImageSplit test)
{
    /// <summary>What messages call its file.</summary>
    public const string Kind = "data set";

    /// <summary>The shortest and the longest side of images, in pixels.</summary>
    public const int MinSide = 8, MaxSide = 1024;

    /// <summary>The least and the most that an image may count in training.</summary>
    public const float MinWeight = 1e-3f, MaxWeight = 1e3f;

    private readonly Lazy<(double[] Mean, double[] Deviation)> _normalisation = new(() => Measure(train, info.Channels));

    /// <summary>What is known about it besides images and labels.</summary>
    public DatasetInfo Info { get; } = info;

    /// <inheritdoc cref="DatasetInfo.Name" />
    public string Name => Info.Name;

    /// <inheritdoc cref="Provenance.IsSynthetic" />
    public bool IsSynthetic => Info.Provenance.IsSynthetic;

    /// <inheritdoc cref="DatasetInfo.Height" />
    public int Height => Info.Height;

    /// <inheritdoc cref="DatasetInfo.Width" />
    public int Width => Info.Width;

    /// <inheritdoc cref="DatasetInfo.Channels" />
    public int Channels => Info.Channels;

    /// <inheritdoc cref="DatasetInfo.Classes" />
    public int Classes => Info.Classes;

    /// <summary>The splits with the names that messages give them.</summary>
    public IReadOnlyList<(string Name, ImageSplit Split)> Splits => [("train", Train), ("val", Validation), ("test", Test)];

    /// <summary>What models learn from.</summary>
    public ImageSplit Train { get; } = train;

    /// <summary>What epochs are chosen by.</summary>
    public ImageSplit Validation { get; } = validation;

    /// <summary>What models are measured on.</summary>
    public ImageSplit Test { get; } = test;

    /// <summary>SHA-256 over everything that training can see, in hexadecimal.</summary>
    public string ContentHash { get; } = Hash(info, train, validation, test);

    /// <summary>Mean and standard deviation of each channel over the training split, values scaled to 0 … 1; measured once.</summary>
    public (double[] Mean, double[] Deviation) Normalisation => _normalisation.Value;

    /// <inheritdoc cref="DatasetInfo.IsMultiLabel" />
    public bool IsMultiLabel => Info.IsMultiLabel;

    /// <inheritdoc cref="DatasetInfo.Title" />
    public string Title => Info.Title;

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
        if (Info.ClassNames.Count > 0 && Info.ClassNames.Count != Classes)
            throw new InputException($"Data set {Name} has {Classes} classes and names {Info.ClassNames.Count}.");
        foreach (var (name, split) in Splits)
        {
            if (split.Count == 0) throw new InputException($"Data set {Name}: the split '{name}' is empty.");
            if (split.Pixels.Length != split.Count * Info.ImageBytes)
            {
                throw new InputException(
                    $"Data set {Name}: the split '{name}' has {split.Count} labels, but its images are of another number.");
            }
            CheckPixels(name, split.Pixels);
            CheckWeights(name, split);
            if (IsMultiLabel) CheckLabelSets(name, split);
            else CheckClasses(name, split);
        }
        return this;
    }

    /// <summary>The images of a split that are of a class, or have one of several labels.</summary>
    public IEnumerable<int> Find(ImageSplit split, int @class) =>
        Enumerable.Range(0, split.Count).Where(i => LabelSet.Has(split.Labels[i], @class, IsMultiLabel));

    private void CheckClasses(string name, ImageSplit split)
    {
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

    private void CheckLabelSets(string name, ImageSplit split)
    {
        if (Classes > LabelSet.MaxLabels)
            throw new InputException($"Data set {Name} has {Classes} labels; {LabelSet.MaxLabels} are the most that an image can have.");
        var bad = Array.FindIndex(split.Labels, set => set < 0 || set >= 1 << Classes);
        if (bad >= 0)
        {
            throw new InputException(
                $"Data set {Name}: image {bad} in the split '{name}' has a label out of range; there are {Classes} (0 to {Classes - 1}).");
        }
        int[] counts = [.. Enumerable.Range(0, Classes).Select(label => Find(split, label).Count())];
        if (Array.TrueForAll(counts, count => count == 0 || count == split.Count))
        {
            throw new InputException(
                $"Data set {Name}: all images of the split '{name}' have the same labels, so no score can be computed on it.");
        }
        if (split != Train) return;
        var useless = Array.FindIndex(counts, count => count == 0 || count == split.Count);
        if (useless < 0) return;
        var who = counts[useless] == 0 ? "no" : "every";
        var label = Info.ClassNames.ElementAtOrDefault(useless) ?? $"{useless}";
        throw new InputException($"Data set {Name}: {who} training image has label {label}.");
    }

    /// <summary>Images that were scaled to 0 … 1 before they became bytes are black; nothing can be learned from them.</summary>
    private void CheckPixels(string split, ReadOnlySpan<byte> pixels)
    {
        if (pixels.IsEmpty) return;
        var isBlack = pixels.IndexOfAnyExceptInRange((byte)0, (byte)1) < 0;
        if (isBlack)
        {
            throw new InputException(
                $"Data set {Name}: no pixel of the split '{split}' is above 1, where images have values from 0 to 255. " +
                "Save those from 0 to 1 with (255 * images).round().astype(np.uint8).");
        }
        var isConstant = pixels.IndexOfAnyExcept(pixels[0]) < 0;
        if (isConstant) throw new InputException($"Data set {Name}: all pixels of the split '{split}' have the value {pixels[0]}.");
    }

    private void CheckWeights(string name, ImageSplit split)
    {
        if (split.Weights is not { } weights) return;
        if (weights.Length != split.Count)
            throw new InputException($"Data set {Name}: the split '{name}' has {split.Count} images and {weights.Length} weights of them.");
        var bad = Array.FindIndex(weights, weight => weight is not (>= MinWeight and <= MaxWeight));
        if (bad < 0) return;
        throw new InputException(string.Create(
            CultureInfo.InvariantCulture,
            $"Data set {Name}: image {bad} of '{name}' has the weight {weights[bad]}; weights are {MinWeight} to {MaxWeight}."));
    }

    private static string Hash(DatasetInfo info, params ReadOnlySpan<ImageSplit> splits)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<int>([info.Height, info.Width, info.Channels, info.Classes]));
        if (info.IsMultiLabel) hash.AppendData("several labels"u8);
        foreach (var split in splits)
        {
            hash.AppendData(MemoryMarshal.AsBytes<int>([split.Count]));
            hash.AppendData(split.Pixels);
            hash.AppendData(MemoryMarshal.AsBytes(split.Labels.AsSpan()));
            if (split.Weights is { } weights) hash.AppendData(MemoryMarshal.AsBytes(weights.AsSpan()));
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
