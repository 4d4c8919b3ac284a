using MedMerge.Data;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models.Layers;

/// <summary>
/// A batch norm with no convolution in front of it, as in pre-activation networks. In evaluation mode it is the affine map sx + t of each
/// channel, linear in (s, t): folded, s is the kernel and t the bias, and Σᵢ αᵢ(sᵢx + tᵢ) folds by the same sum as a convolution.
/// </summary>
internal sealed record Normalisation : Layer
{
    private readonly BatchNorm _norm;

    /// <param name="name">Such as <c>features.norm5</c>.</param>
    public Normalisation(string name, int channels)
        : this(new BatchNorm(name, channels))
    {
    }

    private Normalisation(BatchNorm norm)
        : base(norm.Name, norm.Channels, norm) => _norm = norm;

    /// <summary>[channels].</summary>
    public override long[] Shape => [Out];

    /// <inheritdoc />
    public override bool IsChannelwise => true;

    /// <inheritdoc />
    public override IReadOnlyList<(string Name, long[] Shape)> Tensors => [.. TensorsOf(_norm)];

    /// <inheritdoc />
    public override Tensor Apply(Tensor input, Tensor kernel, Tensor? bias)
    {
        var scaled = input * kernel.view(1, -1, 1, 1);
        return bias is null ? scaled : scaled.Plus(bias.view(1, -1, 1, 1));
    }

    /// <inheritdoc />
    public override Tensor Apply(Tensor input, Func<string, Tensor> tensors, bool training) => _norm.Apply(input, tensors, training);

    /// <inheritdoc />
    public override string? Weight => null;

    /// <inheritdoc />
    public override (double[] Scale, double[] Shift) ToAffine(Func<string, float[]> tensors) => _norm.ToAffine(tensors);

    /// <inheritdoc />
    public override Dictionary<string, float[]> Restore(double[] scale, float[] bias, Func<string, float[]> statistics) =>
        _norm.FromAffine(
            scale,
            FilterArithmetic.Widen(bias),
            statistics(_norm.Mean),
            statistics(_norm.Variance));

    /// <inheritdoc />
    public override (double[] Scale, double[] Shift, double[]? Gamma) Split(Func<string, float[]> tensors) =>
        (FilterArithmetic.Widen(tensors(_norm.Scale)), FilterArithmetic.Widen(tensors(_norm.Shift)), null);

    /// <inheritdoc />
    public override Tensor ApplySplit(Tensor input, Tensor kernel, Tensor bias, Tensor? gamma) =>
        BatchNorm.ApplyToBatch(input, kernel, bias);

    /// <inheritdoc />
    public override Dictionary<string, float[]> Join(
        double[] scale,
        float[] bias,
        float[]? gamma,
        Func<string, float[]> statistics)
    {
        return new Dictionary<string, float[]>
        {
            [_norm.Scale] = FilterArithmetic.Round(scale),
            [_norm.Shift] = bias,
            [_norm.Mean] = statistics(_norm.Mean),
            [_norm.Variance] = statistics(_norm.Variance),
        };
    }

    /// <inheritdoc />
    /// <remarks>s'ᵢ = γᵢ/σ, of the kernel γᵢ the factor 1/σ, and b'ᵢ = βᵢ − (γᵢ/σ)μ.</remarks>
    public override (double[] Scale, double[] Shift) FoldPart(
        float[] bias,
        float[] gamma,
        float[] sumGamma,
        Func<string, float[]> statistics)
    {
        var ones = new float[Out];
        Array.Fill(ones, 1);
        return (_norm.ToAffine(ones, bias, statistics).Scale, _norm.ToAffine(gamma, bias, statistics).Shift);
    }

    /// <inheritdoc />
    public override Tensor Normalised(Tensor input, Tensor output) => input;

    /// <inheritdoc />
    /// <remarks>γ(ax + b − μ)/σ = (γa)(x − (μ − b)/a)/σ.</remarks>
    public override IReadOnlyDictionary<string, Tensor> AdaptInput(StateDict model, Tensor factor, Tensor offset) =>
        new Dictionary<string, Tensor>
        {
            [_norm.Scale] = model[_norm.Scale].to(ScalarType.Float64) * factor,
            [_norm.Mean] = (model[_norm.Mean].to(ScalarType.Float64) - offset) / factor,
        };

    /// <inheritdoc />
    public override void Initialise(StateDict model, RandomStream random) => _norm.AddIdentity(model);
}
