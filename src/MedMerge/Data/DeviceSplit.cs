using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Data;

/// <summary>
/// A split's pixels and labels on a device, brought there once: a batch is then an index. Splits that take more than
/// <see cref="MaxBytes"/> stay in the host's memory, and each batch is brought to the device. Device thread only.
/// </summary>
internal sealed class DeviceSplit : IDisposable
{
    /// <summary>The most bytes of pixels that a split may take of the device's memory.</summary>
    public const long MaxBytes = 4L << 30;

    private readonly Tensor _pixels; // [images, height, width, channels], uint8
    private readonly Tensor _labels; // [images], int64
    private readonly Tensor? _weights; // [images], float64; null where all count alike
    private readonly Device _device;

    /// <param name="shape">An image's height, width and channels.</param>
    /// <param name="maxBytes">As <see cref="MaxBytes"/>.</param>
    public DeviceSplit(ImageSplit split, (int Height, int Width, int Channels) shape, Device device, long maxBytes = MaxBytes)
    {
        _device = device;
        using var scope = NewDisposeScope();
        var home = split.Pixels.LongLength > maxBytes ? CPU : device;
        _pixels = Transfers.ToDevice(split.Pixels, home)
            .view(split.Count, shape.Height, shape.Width, shape.Channels)
            .DetachFromDisposeScope();
        _weights = split.ScaleWeights() is { } weights ? Transfers.ToDevice(weights, home).DetachFromDisposeScope() : null;
        _labels = Transfers.ToDevice(Array.ConvertAll(split.Labels, label => (long)label), home).DetachFromDisposeScope();
    }

    /// <summary>Where the pixels are, and a batch's indices must be: the device, or the host for a large split.</summary>
    public Device Home => _pixels.device;

    /// <summary>Images, [count, height, width, channels] of uint8 on the device.</summary>
    /// <param name="indices">[count], int64, at <see cref="Home"/>.</param>
    public Tensor Images(Tensor indices) => Bring(_pixels.index_select(0, indices));

    /// <summary>Their labels, [count] of int64 on the device.</summary>
    /// <param name="indices">As <see cref="Images"/> takes them.</param>
    public Tensor Labels(Tensor indices) => Bring(_labels.index_select(0, indices));

    /// <summary>What they count in training, on average 1, [count] of float64 on the device; null where all count alike.</summary>
    /// <param name="indices">As <see cref="Images"/> takes them.</param>
    public Tensor? Weights(Tensor indices) => _weights is null ? null : Bring(_weights.index_select(0, indices));

    /// <inheritdoc />
    public void Dispose()
    {
        _weights?.Dispose();
        _pixels.Dispose();
        _labels.Dispose();
    }

    private Tensor Bring(Tensor tensor) => Home.type == _device.type ? tensor : Transfers.ToDevice(tensor, _device);
}
