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
    /// <summary>Beyond these the variance would leave float32's exact range together with its ε.</summary>
    private const double MinFactor = 1e-3, MaxFactor = 1e3;

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

    private string Weight => Name + ".weight";

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
    public override (Tensor Kernel, Tensor Bias) Prepare(StateDict model)
    {
        var kernel = model[Weight].to(ScalarType.Float64);
        if (Norm is null) return (kernel, zeros(Out, ScalarType.Float64));
        var (scale, shift) = Norm.ToAffine(model);
        if (HasBias) shift = shift.Plus(scale * model[Bias].to(ScalarType.Float64));
        return (kernel * scale.view(-1, 1, 1, 1), shift);
    }

    /// <inheritdoc />
    /// <remarks>
    /// A kernel K that is scaled to cK has statistics cμ and c²σ², and s = 1/c. With c = 1 it stays as it is. Without a batch norm the bias
    /// is that of a fold of such layers: zero.
    /// </remarks>
    public override void Restore(StateDict model, Tensor kernel, Tensor bias, StateDict statistics) =>
        Add(model, kernel, scale: ones(Out, ScalarType.Float64), shift: bias.to(ScalarType.Float64), statistics);

    /// <inheritdoc />
    public override bool HasScale => Norm is not null;

    /// <inheritdoc />
    public override (Tensor Kernel, Tensor Bias, Tensor? Scale) Split(StateDict model)
    {
        if (Norm is null) return base.Split(model);
        Tensor Load(string name) => model[name].to(ScalarType.Float64);
        return (Load(Weight), Load(Norm.Shift), Load(Norm.Scale));
    }

    /// <inheritdoc />
    public override Tensor ApplySplit(Tensor input, Tensor kernel, Tensor bias, Tensor? scale)
    {
        if (scale is null) return base.ApplySplit(input, kernel, bias, scale);
        using var convolved = Apply(input, kernel, bias: null);
        return BatchNorm.ApplyToBatch(convolved, scale, bias);
    }

    /// <inheritdoc />
    /// <remarks>K'ᵢ = (γ/σ)Kᵢ and b'ᵢ = βᵢ − (γᵢ/σ)μ.</remarks>
    public override (Tensor Kernel, Tensor Bias) FoldPart(
        Tensor kernel,
        Tensor bias,
        Tensor? scale,
        Tensor? sumScale,
        StateDict statistics)
    {
        if (Norm is null || scale is null || sumScale is null) return base.FoldPart(kernel, bias, scale, sumScale, statistics);
        var (factor, _) = Norm.ToAffine(sumScale, bias, statistics);
        return (kernel.to(ScalarType.Float64) * factor.view(-1, 1, 1, 1), Norm.ToAffine(scale, bias, statistics).Shift);
    }

    /// <inheritdoc />
    public override void Join(StateDict model, Tensor kernel, Tensor bias, Tensor? scale, StateDict statistics)
    {
        if (Norm is null || scale is null)
        {
            base.Join(model, kernel, bias, scale, statistics);
            return;
        }
        var (affineScale, affineShift) = Norm.ToAffine(scale, bias, statistics);
        Add(model, kernel, affineScale, affineShift, statistics);
    }

    /// <inheritdoc />
    public override Tensor? MeasureNorms(StateDict model) => Norm is null ? null : MeasureNorms(model[Weight]).to(ScalarType.Float32);

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

    /// <summary>Adds the form with batch norm that computes s(K ∗ x) + t.</summary>
    /// <param name="scale">s, float64.</param>
    /// <param name="shift">t, float64.</param>
    private void Add(StateDict model, Tensor kernel, Tensor scale, Tensor shift, StateDict statistics)
    {
        if (Norm is null || !statistics.Contains(Norms))
        {
            model.Add(Weight, kernel);
            if (HasBias) AddBias(model);
            Norm?.AddAffine(model, scale, shift, statistics[Norm.Mean], statistics[Norm.Variance]);
            return;
        }
        var factor = ScaleTo(statistics[Norms], kernel);
        Tensor Scale(Tensor tensor, Tensor by) => (tensor.to(ScalarType.Float64) * by).to(ScalarType.Float32);
        model.Add(Weight, Scale(kernel, factor.view(-1, 1, 1, 1)));
        if (HasBias) AddBias(model);
        Norm.AddAffine(
            model,
            scale / factor,
            shift,
            Scale(statistics[Norm.Mean], factor),
            Scale(statistics[Norm.Variance], factor.Squared()));
    }

    private void AddBias(StateDict model) => model.Add(Bias, zeros(Out));

    /// <summary>The factors c that give the kernels these norms, [out], float64; 1 for a kernel that is or was all but zero.</summary>
    private static Tensor ScaleTo(Tensor norms, Tensor kernel)
    {
        var factors = (norms.to(ScalarType.Float64) / MeasureNorms(kernel)).cpu().data<double>().ToArray();
        return tensor(Array.ConvertAll(factors, factor => factor is >= MinFactor and <= MaxFactor ? factor : 1), device: kernel.device);
    }

    private static Tensor MeasureNorms(Tensor kernel) => kernel.to(ScalarType.Float64).Squared().sum([1L, 2L, 3L]).sqrt();

    /// <inheritdoc />
    /// <remarks>Normal with variance 2 / fan-out (He et al. 2015).</remarks>
    public override void Initialise(StateDict model, RandomStream random)
    {
        model.Add(Weight, DrawNormal(random, Math.Sqrt(2.0 * Groups / (Out * Kernel * Kernel))));
        if (HasBias) AddBias(model);
        Norm?.AddIdentity(model);
    }
}
