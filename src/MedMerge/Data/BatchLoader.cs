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

    private readonly ImageAugmenter _augmenter;
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
        _augmenter = new ImageAugmenter(dataset.Height, dataset.Width, dataset.Channels, device, type);
        var (mean, deviation) = dataset.Normalisation;
        _scale = Channelwise([.. deviation.Select(d => 1 / (255 * d))]);
        _offset = Channelwise([.. mean.Zip(deviation, (m, d) => -m / d)]);
    }

    /// <inheritdoc cref="DatasetInfo.IsMultiLabel" />
    public bool IsMultiLabel => _dataset.Info.IsMultiLabel;

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
        var images = on.Images(Transfers.ToDevice(ToInt64(indices), on.Home));
        return Normalise(ChannelsFirst(images)).MoveToOuterDisposeScope();
    }

    /// <summary>Training images with their labels, augmented: image i's draw depends on (seed, epoch, i) alone.</summary>
    public TrainingBatch LoadTraining(ReadOnlySpan<int> indices, Augmentation augmentation, ulong seed, int epoch)
    {
        using var scope = NewDisposeScope();
        var on = OnDevice(_dataset.Train);
        var draws = _augmenter.Draw(indices, augmentation, seed, epoch);
        // One transfer for all.
        long[] numbers = [.. ToInt64(indices), .. augmentation.MayMove ? _augmenter.FindOrigins(draws) : []];
        var onDevice = Transfers.ToDevice(numbers, on.Home);
        var chosen = onDevice.narrow(0, 0, indices.Length);
        var images = on.Images(chosen);
        if (augmentation.MayMove)
            images = _augmenter.Move(images, onDevice.narrow(0, indices.Length, numbers.Length - indices.Length).to(_device));
        var values = ChannelsFirst(images);
        if (!augmentation.OnlyMoves) values = _augmenter.Filter(values, augmentation, draws);
        return new TrainingBatch(
            Normalise(values).MoveToOuterDisposeScope(),
            on.Labels(chosen).MoveToOuterDisposeScope(),
            on.Weights(chosen)?.to(_type).MoveToOuterDisposeScope());
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
        _augmenter.Dispose();
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
    private Tensor ChannelsFirst(Tensor images) => images.permute(0, 3, 1, 2).to(_type);

    /// <param name="images">[count, channels, height, width], 0 … 255.</param>
    private Tensor Normalise(Tensor images)
    {
        var normalised = (images * _scale).Plus(_offset);
        var channels = normalised.expand(images.shape[0], 3, _dataset.Height, _dataset.Width);
        return _isChannelsLast ? channels.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : channels.contiguous();
    }
}
