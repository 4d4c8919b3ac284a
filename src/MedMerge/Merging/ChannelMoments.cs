using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>
/// Mean and variance over images and pixels, merged batch by batch in float64 on the values' device (Chan et al. 1979). It makes no copy of
/// the values.
/// </summary>
internal sealed class ChannelMoments(int channels, Device device)
{
    private readonly Tensor _mean = zeros(channels, ScalarType.Float64, device);
    private readonly Tensor _squares = zeros(channels, ScalarType.Float64, device); // sums of squared distances from the mean
    private double _count;

    /// <summary>For each layer of a network that has a batch norm; null for the others.</summary>
    public static ChannelMoments?[] ForNorms(WeighedNetwork network) => Array.ConvertAll(
        network.Architecture.Layers.ToArray(),
        layer => layer.Norm is null ? null : new ChannelMoments(layer.Out, network.Kernels[0].device));

    /// <summary>[channels].</summary>
    public Tensor Mean => _mean;

    /// <summary>[channels], without Bessel's correction.</summary>
    public Tensor Variance => _squares.Over(_count);

    /// <param name="values">[batch, channels, height, width].</param>
    public void Add(Tensor values)
    {
        using var scope = NewDisposeScope();
        var count = (double)values.numel() / values.shape[1];
        var total = _count + count;
        var (variance, mean) = var_mean(values, [0L, 2L, 3L], unbiased: false);
        var distance = mean.to(ScalarType.Float64) - _mean;
        _mean.Add(distance, count / total);
        _squares.Add(variance.to(ScalarType.Float64), count);
        _squares.Add(distance.Squared(), _count * count / total);
        _count = total;
    }
}
