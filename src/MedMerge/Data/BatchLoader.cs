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
    private readonly long _maxSplitBytes;

    /// <summary>
    /// On a processor a pixel's channels lie side by side, which all layers keep: convolutions there need not rearrange what they are given
    /// (bench/results/lanes.md).
    /// </summary>
    private readonly bool _isChannelsLast;

    private readonly Tensor _scale;
    private readonly Tensor _offset;
    private readonly Dictionary<ImageSplit, DeviceSplit> _splits = new(ReferenceEqualityComparer.Instance);

    /// <param name="type">Element type of the batches: float32, or float64 in tests of the numerics.</param>
    /// <param name="maxSplitBytes">As <see cref="DeviceSplit.MaxBytes"/>.</param>
    public BatchLoader(
        ImageDataset dataset,
        Device device,
        ScalarType type = ScalarType.Float32,
        long maxSplitBytes = DeviceSplit.MaxBytes)
    {
        _dataset = dataset;
        _device = device;
        _type = type;
        _maxSplitBytes = maxSplitBytes;
        _isChannelsLast = device.type == TorchSharp.DeviceType.CPU;
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
    public Tensor Load(ImageSplit split, ReadOnlySpan<int> indices)
    {
        using var scope = NewDisposeScope();
        var on = OnDevice(split);
        return Normalise(on.Images(Transfers.ToDevice(ToInt64(indices), on.Home))).MoveToOuterDisposeScope();
    }

    /// <summary>Training images with their labels, augmented: image i's draw depends on (seed, epoch, i) alone.</summary>
    public TrainingBatch LoadTraining(ReadOnlySpan<int> indices, Augmentation augmentation, ulong seed, int epoch)
    {
        using var scope = NewDisposeScope();
        var on = OnDevice(_dataset.Train);
        // One transfer for all.
        long[] numbers = [.. ToInt64(indices), .. augmentation == Augmentation.None ? [] : Draw(indices, augmentation, seed, epoch)];
        var onDevice = Transfers.ToDevice(numbers, on.Home);
        var chosen = onDevice.narrow(0, 0, indices.Length);
        var images = on.Images(chosen);
        if (augmentation != Augmentation.None)
            images = Move(images, onDevice.narrow(0, indices.Length, numbers.Length - indices.Length).to(_device));
        return new TrainingBatch(Normalise(images).MoveToOuterDisposeScope(), on.Labels(chosen).MoveToOuterDisposeScope());
    }

    /// <summary>The labels as a tensor [count] of int64.</summary>
    public Tensor Labels(ImageSplit split, ReadOnlySpan<int> indices)
    {
        using var scope = NewDisposeScope();
        var on = OnDevice(split);
        return on.Labels(Transfers.ToDevice(ToInt64(indices), on.Home)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _scale.Dispose();
        _offset.Dispose();
        foreach (var split in _splits.Values) split.Dispose();
    }

    private DeviceSplit OnDevice(ImageSplit split)
    {
        if (_splits.TryGetValue(split, out var found)) return found;
        return _splits[split] = new DeviceSplit(
            split,
            (_dataset.Height, _dataset.Width, _dataset.Channels),
            _device,
            _maxSplitBytes);
    }

    private Tensor Channelwise(double[] values)
    {
        using var scope = NewDisposeScope();
        return tensor(values, device: _device).to(_type).view(1, values.Length, 1, 1).DetachFromDisposeScope();
    }

    private static long[] ToInt64(ReadOnlySpan<int> indices)
    {
        var numbers = new long[indices.Length];
        for (var i = 0; i < numbers.Length; i++) numbers[i] = indices[i];
        return numbers;
    }

    /// <param name="images">[count, height, width, channels], uint8.</param>
    private Tensor Normalise(Tensor images)
    {
        var normalised = (images.permute(0, 3, 1, 2).to(_type) * _scale).Plus(_offset);
        var channels = normalised.expand(images.shape[0], 3, _dataset.Height, _dataset.Width);
        return _isChannelsLast ? channels.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : channels.contiguous();
    }

    /// <summary>
    /// Which images' pixels are moved, 0, 1, …; then for each image the row that each of its rows is taken from, then its columns, −1 where
    /// there is none. Images are shifted by up to a fourteenth of a side each way.
    /// </summary>
    private long[] Draw(ReadOnlySpan<int> indices, Augmentation augmentation, ulong seed, int epoch)
    {
        var (count, height, width) = (indices.Length, _dataset.Height, _dataset.Width);
        var draws = new long[count * (1 + height + width)];
        var rows = draws.AsSpan(count, count * height);
        var columns = draws.AsSpan(count * (1 + height));
        for (var i = 0; i < count; i++)
        {
            var random = new RandomStream(seed, StreamKeys.Augmentation, (ulong)epoch, (ulong)indices[i]);
            draws[i] = i;
            FillShifted(rows.Slice(i * height, height), random);
            var shifted = columns.Slice(i * width, width);
            FillShifted(shifted, random);
            var mirrored = random.Below(2) == 1 && augmentation == Augmentation.ShiftFlip;
            if (mirrored) shifted.Reverse();
        }
        return draws;
    }

    private static void FillShifted(Span<long> from, RandomStream random)
    {
        var reach = Math.Max(1, from.Length / 14);
        var shift = random.Below((2 * reach) + 1) - reach;
        for (var i = 0; i < from.Length; i++) from[i] = i - shift >= 0 && i - shift < from.Length ? i - shift : -1;
    }

    /// <summary>Takes each pixel from another place of its image, zero where there is none.</summary>
    /// <param name="images">[count, height, width, channels], uint8.</param>
    /// <param name="draws">As <see cref="Draw"/> gives them.</param>
    private static Tensor Move(Tensor images, Tensor draws)
    {
        var (count, height, width) = (images.shape[0], images.shape[1], images.shape[2]);
        var own = draws.narrow(0, 0, count).view(count, 1, 1);
        var rows = draws.narrow(0, count, count * height).view(count, height, 1);
        var columns = draws.narrow(0, count * (1 + height), count * width).view(count, 1, width);
        var moved = images.index(TensorIndex.Tensor(own), TensorIndex.Tensor(rows), TensorIndex.Tensor(columns));
        var isOutside = rows.bitwise_or(columns).signbit(); // of −1 and anything all bits are set
        return moved.mul(isOutside.logical_not().unsqueeze(3));
    }
}
