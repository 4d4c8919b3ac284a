using MedMerge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MedMerge.Data;

/// <summary>
/// Changes a batch's images on their device. What happens to image <c>i</c> depends on (seed, epoch, i) alone, not on its batch. Device
/// thread only.
/// </summary>
internal sealed class ImageAugmenter(int height, int width, int channels, Device device, ScalarType type) : IDisposable
{
    /// <summary>A Gaussian is cut off at so many deviations.</summary>
    private const double BlurReach = 3;

    /// <summary>Numbers of a draw that the device computes with: the affine map, contrast, brightness, blur, noise.</summary>
    private const int AffineNumbers = 6, Numbers = AffineNumbers + 4;

    private readonly int _imageSize = height * width * channels;
    private Tensor? _noise; // standard normal, far more than an image has; each image takes a part that begins anywhere

    /// <summary>What happens to each image, in the order of <paramref name="indices"/>.</summary>
    public ImageDraw[] Draw(ReadOnlySpan<int> indices, Augmentation augmentation, ulong seed, int epoch)
    {
        if (augmentation == Augmentation.None) return [];
        var draws = new ImageDraw[indices.Length];
        for (var i = 0; i < draws.Length; i++)
        {
            var random = new RandomStream(seed, StreamKeys.Augmentation, (ulong)epoch, (ulong)indices[i]);
            var strengths = augmentation.ChooseOperations(random);
            draws[i] = ImageDraw.Of(strengths, height, width, NoiseLength - _imageSize, random);
        }
        return draws;
    }

    /// <summary>
    /// Which images' pixels are moved, 0, 1, …; then for each image the row that each of its rows is taken from, then its columns, −1 where
    /// there is none.
    /// </summary>
    public long[] FindOrigins(ReadOnlySpan<ImageDraw> draws)
    {
        var count = draws.Length;
        var origins = new long[count * (1 + height + width)];
        var rows = origins.AsSpan(count, count * height);
        var columns = origins.AsSpan(count * (1 + height));
        for (var i = 0; i < count; i++)
        {
            origins[i] = i;
            FillShifted(rows.Slice(i * height, height), draws[i].Down, draws[i].IsUpsideDown);
            FillShifted(columns.Slice(i * width, width), draws[i].Right, draws[i].IsMirrored);
        }
        return origins;
    }

    /// <summary>Takes each pixel from another place of its image, zero where there is none.</summary>
    /// <param name="images">[count, height, width, channels], uint8.</param>
    /// <param name="origins">As <see cref="FindOrigins"/> gives them.</param>
    public Tensor Move(Tensor images, Tensor origins)
    {
        var count = images.shape[0];
        var own = origins.narrow(0, 0, count).view(count, 1, 1);
        var rows = origins.narrow(0, count, count * height).view(count, height, 1);
        var columns = origins.narrow(0, count * (1 + height), count * width).view(count, 1, width);
        var moved = images.index(TensorIndex.Tensor(own), TensorIndex.Tensor(rows), TensorIndex.Tensor(columns));
        var isOutside = rows.bitwise_or(columns).signbit(); // of −1 and anything all bits are set
        return moved.mul(isOutside.logical_not().unsqueeze(3));
    }

    /// <summary>Warps images and changes their values.</summary>
    /// <param name="images">[count, channels, height, width], 0 … 255.</param>
    /// <param name="draws">Of the same images.</param>
    public Tensor Filter(Tensor images, Augmentation augmentation, ImageDraw[] draws)
    {
        var byLevel = augmentation.Random > 0;
        var numbers = Transfers.ToDevice([.. draws.SelectMany(draw => draw.Numbers)], device).to(type).view(draws.Length, Numbers);
        if (augmentation.Rotation > 0 || augmentation.Crop > 0 || byLevel) images = Warp(images, numbers.narrow(1, 0, AffineNumbers));
        if (augmentation.Intensity > 0 || byLevel) images = ChangeIntensity(images, Number(0), Number(1));
        if (augmentation.GetMaxBlur() is > 0 and var deviation) images = Blur(images, Number(2), deviation);
        if (augmentation.Noise > 0 || byLevel) images = AddNoise(images, Number(3), draws);
        return images;

        Tensor Number(int place) => numbers.narrow(1, AffineNumbers + place, 1).view(draws.Length, 1, 1, 1);
    }

    /// <inheritdoc />
    public void Dispose() => _noise?.Dispose();

    private static void FillShifted(Span<long> from, int shift, bool isReversed)
    {
        for (var i = 0; i < from.Length; i++) from[i] = i - shift >= 0 && i - shift < from.Length ? i - shift : -1;
        if (isReversed) from.Reverse();
    }

    private static Tensor Warp(Tensor images, Tensor affine)
    {
        var grid = nn.functional.affine_grid(affine.reshape(images.shape[0], 2, 3), images.shape, align_corners: false);
        return nn.functional.grid_sample(images, grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Zeros, align_corners: false);
    }

    private static Tensor ChangeIntensity(Tensor images, Tensor contrast, Tensor brightness)
    {
        var mean = images.mean([1, 2, 3], keepdim: true);
        return ((images - mean) * contrast).Plus(mean).Plus(brightness).AtLeast(0).AtMost(ImageDraw.White);
    }

    /// <summary>One direction after the other, edges repeated; each image by its own deviation.</summary>
    private Tensor Blur(Tensor images, Tensor deviations, double max)
    {
        var reach = (int)Math.Ceiling(BlurReach * max);
        var (count, taps) = (images.shape[0], (2 * reach) + 1);
        double[] offsets = [.. Enumerable.Range(-reach, taps)];
        var distances = Transfers.ToDevice(offsets, device).to(type).view(1, 1, 1, taps);
        var exponents = (distances / deviations.AtLeast(1e-3)).Squared().Times(-0.5);
        var kernels = exponents.softmax(3).repeat_interleave(channels, 0); // e^x over its sum
        var rows = images.reshape(1, count * channels, height, width);
        var blurred = Convolve(rows, kernels, (reach, reach, 0, 0));
        return Convolve(blurred, kernels.permute(0, 1, 3, 2), (0, 0, reach, reach)).view(images.shape);
    }

    private static Tensor Convolve(Tensor images, Tensor kernels, (long Left, long Right, long Top, long Bottom) edges)
    {
        var padded = nn.functional.pad(images, edges, PaddingModes.Replicate);
        return nn.functional.conv2d(padded, kernels, groups: images.shape[1]);
    }

    private Tensor AddNoise(Tensor images, Tensor deviations, ImageDraw[] draws)
    {
        var table = _noise ??= CreateNoise();
        var noise = stack(draws.Select(draw => table.narrow(0, draw.NoiseStart, _imageSize))).view(images.shape);
        return images.Plus(noise * deviations).AtLeast(0).AtMost(ImageDraw.White);
    }

    private int NoiseLength => Math.Max(1 << 20, 2 * _imageSize);

    private Tensor CreateNoise()
    {
        using var scope = NewDisposeScope();
        var random = new RandomStream(StreamKeys.Noise);
        var values = new float[NoiseLength];
        for (var i = 0; i < values.Length; i++) values[i] = (float)random.NextNormal();
        return Transfers.ToDevice(values, device).to(type).DetachFromDisposeScope();
    }
}
