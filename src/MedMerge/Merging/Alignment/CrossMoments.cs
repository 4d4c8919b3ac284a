using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging.Alignment;

/// <summary>
/// Sums over samples of two networks' channels, in float64, from which the correlation of each channel of the one with each of the other
/// comes. Device thread only.
/// </summary>
internal sealed class CrossMoments
{
    /// <summary>A variance below this share of the mean square is a constant with rounding errors.</summary>
    private const double ConstantShare = 1e-12;

    private readonly int _size;
    private readonly Tensor _products;
    private readonly Tensor _sums;    // [2, size]
    private readonly Tensor _squares; // [2, size]
    private long _count;

    /// <param name="size">Channels of each.</param>
    public CrossMoments(int size, Device device)
    {
        _size = size;
        _products = zeros(size, size, ScalarType.Float64, device);
        _sums = zeros(2, size, ScalarType.Float64, device);
        _squares = zeros(2, size, ScalarType.Float64, device);
    }

    /// <summary>Adds samples.</summary>
    /// <param name="one">[samples, size], float64.</param>
    /// <param name="other">The same samples, of the other network.</param>
    public void Add(Tensor one, Tensor other)
    {
        using var scope = NewDisposeScope();
        var both = stack([one, other], 0);
        _products.Add(one.t().mm(other));
        _sums.Add(both.sum(1));
        _squares.Add(both.Squared().sum(1));
        _count += one.shape[0];
    }

    /// <summary>Adds the correlations, with 0 for a channel that is constant.</summary>
    /// <param name="sum">[size × size], row-major.</param>
    public void AddCorrelations(double[] sum)
    {
        double[] Read(Tensor tensor) => [.. tensor.cpu().data<double>()];
        var (products, sums, squares) = (Read(_products), Read(_sums), Read(_squares));
        var means = Array.ConvertAll(sums, value => value / _count);
        var inverses = squares.Select((square, channel) => InvertDeviation(square / _count, means[channel])).ToArray();
        for (var i = 0; i < _size; i++)
        {
            for (var j = 0; j < _size; j++)
            {
                var covariance = (products[(i * _size) + j] / _count) - (means[i] * means[_size + j]);
                sum[(i * _size) + j] += covariance * inverses[i] * inverses[_size + j];
            }
        }
    }

    private static double InvertDeviation(double meanSquare, double mean)
    {
        var variance = meanSquare - (mean * mean);
        return variance <= ConstantShare * meanSquare ? 0 : 1 / Math.Sqrt(variance);
    }
}
