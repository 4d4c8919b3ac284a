using MedMerge.Data;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models.Layers;

/// <summary>
/// A convolution, and the batch norm behind it, if any. Folded (Jacob et al. 2018, section 3.2): K' = sK and b = t, with the batch norm's
/// affine map sz + t. Padding is half the kernel. A convolution's own bias (<see cref="HasBias"/>) has no effect but a shift of the mean
/// that batch norm takes away: folded, it is part of t, and restored it is zero.
/// </summary>
internal sealed record Convolution : Layer
{
    /// <param name="name">Such as <c>layer1.0.conv1</c>.</param>
    /// <param name="batchNorm">Its batch norm's name, such as <c>layer1.0.bn1</c>; null where none follows it.</param>
    public Convolution(string name, string? batchNorm, int inputs, int outputs, int kernel, int stride)
        : base(name, outputs, batchNorm is null ? null : new BatchNorm(batchNorm, outputs))
    {
        In = inputs;
        Kernel = kernel;
        Stride = stride;
    }

    /// <summary>Channels of its input.</summary>
    public int In { get; }

    /// <summary>The kernel's side.</summary>
    public int Kernel { get; }

    /// <summary>Pixels from one output to the next.</summary>
    public int Stride { get; }

    /// <summary>Whether it has a bias, which a batch norm must follow.</summary>
    public bool HasBias { get; init; }

    /// <summary>
    /// Into how many groups input and output channels are divided, each output channel seeing those of its group only: 1, or all of them in
    /// a depthwise convolution.
    /// </summary>
    public int Groups { get; init; } = 1;

    /// <summary>[out, in / groups, kernel, kernel].</summary>
    public override long[] Shape => [Out, In / Groups, Kernel, Kernel];

    /// <inheritdoc />
    public override bool IsChannelwise => Groups > 1;

    /// <inheritdoc />
    public override IReadOnlyList<(string Name, long[] Shape)> Tensors => [(Weight, Shape), .. TensorsOfBias, .. TensorsOf(Norm)];

    private IEnumerable<(string Name, long[] Shape)> TensorsOfBias => HasBias ? [(Bias, [Out])] : [];

    /// <inheritdoc />
    public override string Weight => Name + ".weight";

    private string Bias => Name + ".bias";

    /// <summary>Pixels of zeros around its input.</summary>
    public int Padding => Kernel / 2;

    /// <inheritdoc />
    public override Tensor Apply(Tensor input, Tensor kernel, Tensor? bias) =>
        nn.functional.conv2d(input, kernel, bias, strides: [Stride, Stride], padding: [Padding, Padding], groups: Groups);

    /// <inheritdoc />
    public override Tensor Apply(Tensor input, Func<string, Tensor> tensors, bool training)
    {
        var output = Apply(input, tensors(Weight), HasBias ? tensors(Bias) : null);
        if (Norm is null) return output;
        using var convolved = output;
        return Norm.Apply(convolved, tensors, training);
    }

    /// <inheritdoc />
    public override (double[] Scale, double[] Shift) ToAffine(Func<string, float[]> tensors)
    {
        if (Norm is null) return (CreateOnes(), new double[Out]);
        var (scale, shift) = Norm.ToAffine(tensors);
        if (!HasBias) return (scale, shift);
        var bias = tensors(Bias);
        for (var c = 0; c < Out; c++) shift[c] += scale[c] * bias[c];
        return (scale, shift);
    }

    /// <inheritdoc />
    /// <remarks>
    /// A kernel K that is scaled to cK has statistics cμ and c²σ², and s = 1/c. Without a batch norm the bias is that of a fold of such
    /// layers: zero.
    /// </remarks>
    public override Dictionary<string, float[]> Restore(double[] scale, float[] bias, Func<string, float[]> statistics) =>
        Restore(scale, statistics, _ => (CreateOnes(), FilterArithmetic.Widen(bias)));

    /// <inheritdoc />
    public override (double[] Scale, double[] Shift, double[]? Gamma) Split(Func<string, float[]> tensors)
    {
        if (Norm is null) return base.Split(tensors);
        return (CreateOnes(), FilterArithmetic.Widen(tensors(Norm.Shift)), FilterArithmetic.Widen(tensors(Norm.Scale)));
    }

    /// <inheritdoc />
    public override Tensor ApplySplit(Tensor input, Tensor kernel, Tensor bias, Tensor? gamma)
    {
        if (gamma is null) return base.ApplySplit(input, kernel, bias, gamma);
        using var convolved = Apply(input, kernel, bias: null);
        return BatchNorm.ApplyToBatch(convolved, gamma, bias);
    }

    /// <inheritdoc />
    public override Dictionary<string, float[]> Join(
        double[] scale,
        float[] bias,
        float[]? gamma,
        Func<string, float[]> statistics) => gamma is null
        ? base.Join(scale, bias, gamma, statistics)
        : Restore(scale, statistics, norm => norm.ToAffine(gamma, bias, statistics));

    /// <inheritdoc />
    /// <remarks>K'ᵢ = (γ/σ)Kᵢ and b'ᵢ = βᵢ − (γᵢ/σ)μ.</remarks>
    public override (double[] Scale, double[] Shift) FoldPart(
        float[] bias,
        float[] gamma,
        float[] sumGamma,
        Func<string, float[]> statistics) => Norm is null
        ? base.FoldPart(bias, gamma, sumGamma, statistics)
        : (Norm.ToAffine(sumGamma, bias, statistics).Scale, Norm.ToAffine(gamma, bias, statistics).Shift);

    /// <summary>The tensors but the kernel of K scaled to cK, with a batch norm that makes of K ∗ x an affine map of it.</summary>
    /// <param name="scale">c.</param>
    /// <param name="toAffine">Gives the map's s and t, in arrays that may be changed.</param>
    private Dictionary<string, float[]> Restore(
        double[] scale,
        Func<string, float[]> statistics,
        Func<BatchNorm, (double[] Scale, double[] Shift)> toAffine)
    {
        if (Norm is null) return [];
        var (mean, variance) = (new float[Out], new float[Out]);
        var (unscaledMean, unscaledVariance) = (statistics(Norm.Mean), statistics(Norm.Variance));
        for (var c = 0; c < Out; c++)
        {
            mean[c] = (float)(unscaledMean[c] * scale[c]);
            variance[c] = (float)(unscaledVariance[c] * (scale[c] * scale[c]));
        }
        var (perScale, shift) = toAffine(Norm);
        for (var c = 0; c < Out; c++) perScale[c] /= scale[c];
        var restored = Norm.FromAffine(perScale, shift, mean, variance);
        if (HasBias) restored.Add(Bias, new float[Out]);
        return restored;
    }

    /// <inheritdoc />
    public override Tensor Normalised(Tensor input, Tensor output) => output;

    /// <inheritdoc />
    /// <remarks>K ∗ (ax + b) = (aK) ∗ x + Σ bK, a constant that batch norm's mean takes away.</remarks>
    public override IReadOnlyDictionary<string, Tensor> AdaptInput(StateDict model, Tensor factor, Tensor offset)
    {
        if (Norm is null) return base.AdaptInput(model, factor, offset);
        var kernel = model[Weight].to(ScalarType.Float64);
        var constant = (kernel * offset.view(1, -1, 1, 1)).sum([1L, 2L, 3L]);
        return new Dictionary<string, Tensor>
        {
            [Weight] = kernel * factor.view(1, -1, 1, 1),
            [Norm.Mean] = model[Norm.Mean].to(ScalarType.Float64) - constant,
        };
    }

    private double[] CreateOnes() => [.. Enumerable.Repeat(1.0, Out)];

    /// <inheritdoc />
    /// <remarks>Normal with variance 2 / fan-out (He et al. 2015).</remarks>
    public override void Initialise(StateDict model, RandomStream random)
    {
        model.Add(Weight, DrawNormal(random, Math.Sqrt(2.0 * Groups / (Out * Kernel * Kernel))));
        if (HasBias) model.Add(Bias, zeros(Out));
        Norm?.AddIdentity(model);
    }
}
