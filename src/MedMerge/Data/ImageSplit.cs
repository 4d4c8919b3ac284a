namespace MedMerge.Data;

/// <summary>Images with their labels, in memory.</summary>
/// <param name="Pixels">[count × height × width × channels], bytes, row-major.</param>
/// <param name="Labels">[count], as <see cref="LabelSet"/> has them.</param>
internal sealed record ImageSplit(byte[] Pixels, int[] Labels)
{
    /// <summary>[count], above 0: how much each image counts in training, beside the others; null where all count alike.</summary>
    public float[]? Weights { get; init; }

    /// <summary>
    /// [count], hashes of the names of images' groups, such as patients, 0 where an image stands by itself; null where none are known.
    /// Nothing is learned from them.
    /// </summary>
    public ulong[]? Groups { get; init; }

    /// <summary>The number of images.</summary>
    public int Count => Labels.Length;

    /// <summary>Room for the pixels of so many images.</summary>
    /// <param name="imageBytes">Bytes of an image.</param>
    /// <param name="origin">What messages call the data set.</param>
    /// <exception cref="InputException">They take more than an array can hold.</exception>
    public static byte[] Allocate(int count, long imageBytes, string origin)
    {
        if (count * imageBytes > Array.MaxLength)
        {
            throw new InputException(
                $"The images of {origin} take {count * imageBytes / (double)(1 << 30):0.0} GiB at this size; " +
                "2 GiB are the most for a split. A smaller 'size' helps.");
        }
        return GC.AllocateUninitializedArray<byte>((int)(count * imageBytes));
    }

    /// <summary>The weights scaled to a mean of 1, so that losses keep the size that they have without; null if there are none.</summary>
    public double[]? ScaleWeights()
    {
        if (Weights is null) return null;
        var mean = Weights.Average(weight => (double)weight);
        return Array.ConvertAll(Weights, weight => weight / mean);
    }

    /// <summary>Some of the images, in the order that is given.</summary>
    public ImageSplit Choose(IReadOnlyCollection<int> images) =>
        new([.. images.SelectMany(i => GetImage(i).ToArray())], [.. images.Select(i => Labels[i])])
        {
            Weights = Weights is { } weights ? [.. images.Select(i => weights[i])] : null,
            Groups = Groups is { } groups ? [.. images.Select(i => groups[i])] : null,
        };

    /// <summary>An image's pixels, [height × width × channels].</summary>
    public ReadOnlyMemory<byte> GetImage(int index)
    {
        var size = Pixels.Length / Count;
        return Pixels.AsMemory(index * size, size);
    }
}
