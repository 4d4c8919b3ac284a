using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Data;

/// <summary>
/// Turns images into input tensors [count, 3, height, width]: grey images fill all three channels, and each channel is normalised by the
/// training split's mean and standard deviation. Use it on the device thread only.
/// </summary>
internal sealed class BatchLoader : IDisposable
{
    /// <summary>
    /// Most images and most pixels of a batch that no gradient is computed from: it needs less memory than a training step.
    /// </summary>
    private const int MaxImages = 256, MaxPixels = 1 << 19;

    private readonly ImageDataset _dataset;
    private readonly Device _device;
    private readonly ScalarType _type;
    private readonly Tensor _scale;
    private readonly Tensor _offset;

    /// <param name="type">Element type of the batches: float32, or float64 in tests of the numerics.</param>
    public BatchLoader(ImageDataset dataset, Device device, ScalarType type = ScalarType.Float32)
    {
        _dataset = dataset;
        _device = device;
        _type = type;
        var (mean, deviation) = dataset.Normalisation;
        _scale = Channelwise([.. deviation.Select(d => 1 / (255 * d))]);
        _offset = Channelwise([.. mean.Zip(deviation, (m, d) => -m / d)]);
    }

    /// <summary>The images of a split in order, in batches as large as a pass without gradients has memory for.</summary>
    public IEnumerable<int[]> Batches(ImageSplit split)
    {
        var size = Math.Clamp(MaxPixels / (_dataset.Height * _dataset.Width), 1, MaxImages);
        return Enumerable.Range(0, split.Count).Chunk(size);
    }

    /// <summary>Images as they are.</summary>
    public Tensor Load(ImageSplit split, ReadOnlySpan<int> indices) => ToTensor(Gather(split, indices), indices.Length);

    /// <summary>Training images, augmented: image i's draw depends on (seed, epoch, i) alone.</summary>
    public Tensor LoadTraining(ReadOnlySpan<int> indices, Augmentation augmentation, ulong seed, int epoch)
    {
        var pixels = Gather(_dataset.Train, indices);
        if (augmentation != Augmentation.None)
        {
            for (var i = 0; i < indices.Length; i++)
            {
                var random = new RandomStream(seed, StreamKeys.Augmentation, (ulong)epoch, (ulong)indices[i]);
                Augment(pixels.AsSpan(i * ImageBytes, ImageBytes), augmentation, random);
            }
        }
        return ToTensor(pixels, indices.Length);
    }

    /// <summary>The labels as a tensor [count] of int64.</summary>
    public Tensor Labels(ImageSplit split, ReadOnlySpan<int> indices)
    {
        var labels = new long[indices.Length];
        for (var i = 0; i < labels.Length; i++) labels[i] = split.Labels[indices[i]];
        return tensor(labels, device: _device);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _scale.Dispose();
        _offset.Dispose();
    }

    private int ImageBytes => _dataset.Height * _dataset.Width * _dataset.Channels;

    private Tensor Channelwise(double[] values)
    {
        using var scope = NewDisposeScope();
        return tensor(values, device: _device).to(_type).view(1, values.Length, 1, 1).DetachFromDisposeScope();
    }

    private byte[] Gather(ImageSplit split, ReadOnlySpan<int> indices)
    {
        var pixels = new byte[indices.Length * ImageBytes];
        for (var i = 0; i < indices.Length; i++)
            split.Pixels.AsSpan(indices[i] * ImageBytes, ImageBytes).CopyTo(pixels.AsSpan(i * ImageBytes));
        return pixels;
    }

    private Tensor ToTensor(byte[] pixels, int count)
    {
        using var scope = NewDisposeScope();
        var images = tensor(pixels, device: _device).view(count, _dataset.Height, _dataset.Width, _dataset.Channels)
            .permute(0, 3, 1, 2).to(_type);
        var normalised = (images * _scale).Plus(_offset);
        return normalised.expand(count, 3, _dataset.Height, _dataset.Width).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Up to a fourteenth of a side each way.</summary>
    private static int Shift(int side, RandomStream random)
    {
        var reach = Math.Max(1, side / 14);
        return random.Below((2 * reach) + 1) - reach;
    }

    private void Augment(Span<byte> image, Augmentation augmentation, RandomStream random)
    {
        var (height, width, channels) = (_dataset.Height, _dataset.Width, _dataset.Channels);
        var (down, right) = (Shift(height, random), Shift(width, random));
        var mirrored = random.Below(2) == 1 && augmentation == Augmentation.ShiftFlip;
        var source = image.ToArray();
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (fromY, fromX) = (y - down, (mirrored ? width - 1 - x : x) - right);
                var target = image.Slice(((y * width) + x) * channels, channels);
                if (fromY < 0 || fromY >= height || fromX < 0 || fromX >= width) target.Clear();
                else source.AsSpan(((fromY * width) + fromX) * channels, channels).CopyTo(target);
            }
        }
    }
}
