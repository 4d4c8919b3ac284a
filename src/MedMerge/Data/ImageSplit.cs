namespace MedMerge.Data;

/// <summary>Images with their labels, in memory.</summary>
/// <param name="Pixels">[count × height × width × channels], bytes, row-major.</param>
/// <param name="Labels">[count], 0 … classes − 1.</param>
internal sealed record ImageSplit(byte[] Pixels, int[] Labels)
{
    /// <summary>The number of images.</summary>
    public int Count => Labels.Length;

    /// <summary>An image's pixels, [height × width × channels].</summary>
    public ReadOnlyMemory<byte> GetImage(int index)
    {
        var size = Pixels.Length / Count;
        return Pixels.AsMemory(index * size, size);
    }
}
