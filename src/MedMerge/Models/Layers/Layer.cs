using MedMerge.Data;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models.Layers;

/// <summary>
/// A part of a network that merging weighs filter by filter. It has three forms: with its batch norm, as models are stored and trained;
/// folded, a kernel and a bias in which it is linear, so that a weighted sum of sources is one layer of the same kind; and split, the
/// kernel as it is, β as the bias and γ as the scale, normalised by whatever it is applied to.
/// </summary>
/// <param name="Name">Its name in the state dictionary, such as <c>layer1.0.conv1</c>.</param>
/// <param name="Out">Filters: the channels of its output.</param>
/// <param name="Norm">The batch norm that belongs to it; null where there is none.</param>
internal abstract record Layer(string Name, int Out, BatchNorm? Norm)
{
    /// <summary>Beyond these the variance would leave float32's exact range together with its ε.</summary>
    private const double MinFactor = 1e-3, MaxFactor = 1e3;

    /// <summary>The folded kernel's shape; its first dimension is <see cref="Out"/>. The folded bias is [out].</summary>
    public abstract long[] Shape { get; }

    /// <summary>
    /// Whether each channel of its output comes from the input's channel of that place alone: then its filters follow the order of the
    /// input's channels. Otherwise the folded kernel's second dimension has the input's channels, one or more columns each.
    /// </summary>
    public virtual bool IsChannelwise => false;

    /// <summary>The tensors of the form with batch norm that a file must have, in the state dictionary's order.</summary>
    public abstract IReadOnlyList<(string Name, long[] Shape)> Tensors { get; }

    /// <summary>The folded form's output for <paramref name="input"/>, [batch, in, height, width].</summary>
    /// <param name="bias">[out], or null for none.</param>
    public abstract Tensor Apply(Tensor input, Tensor kernel, Tensor? bias);

    /// <summary>The output of the form with batch norm.</summary>
    /// <param name="tensors">Gives the layer's tensors by name.</param>
    /// <param name="training">As <see cref="BatchNorm.Apply"/> takes it.</param>
    public abstract Tensor Apply(Tensor input, Func<string, Tensor> tensors, bool training);

    /// <summary>The name of its kernel in the form with batch norm; null where the folded kernel is a batch norm's scale.</summary>
    public abstract string? Weight { get; }

    /// <summary>
    /// s and t of each filter, [out]: the folded form that computes what the form with batch norm computes in evaluation mode has the
    /// kernel sK, K being the tensor <see cref="Weight"/> or 1, and the bias t, both rounded to float32.
    /// </summary>
    /// <param name="tensors">Gives the layer's tensors but the kernel by name.</param>
    public abstract (double[] Scale, double[] Shift) ToAffine(Func<string, float[]> tensors);

    /// <summary>
    /// The tensors but the kernel, by name, of the form with batch norm that computes what a folded kernel and bias compute.
    /// </summary>
    /// <param name="scale">
    /// Where there is a <see cref="Weight"/>, what each folded filter was multiplied by to become one of its filters
    /// (<see cref="ScaleTo"/>); otherwise the folded kernel.
    /// </param>
    /// <param name="bias">The folded bias.</param>
    /// <param name="statistics">Gives the batch norm's mean and variance: those of <see cref="Normalised"/> over the target.</param>
    public abstract Dictionary<string, float[]> Restore(double[] scale, float[] bias, Func<string, float[]> statistics);

    /// <summary>
    /// The split form, [out] each: its kernel is s times the tensor <see cref="Weight"/>, or s. Without a batch norm it is the folded one,
    /// and γ is null; of a lone batch norm γ is the kernel.
    /// </summary>
    /// <inheritdoc cref="ToAffine" path="/param" />
    public virtual (double[] Scale, double[] Shift, double[]? Gamma) Split(Func<string, float[]> tensors)
    {
        var (scale, shift) = ToAffine(tensors);
        return (scale, shift, null);
    }

    /// <summary>The split form's output.</summary>
    public virtual Tensor ApplySplit(Tensor input, Tensor kernel, Tensor bias, Tensor? gamma) => Apply(input, kernel, bias);

    /// <summary>The tensors but the kernel, by name, of the form with batch norm that a split form comes from.</summary>
    /// <param name="gamma">γ, where the split form has one.</param>
    /// <inheritdoc cref="Restore" path="/param" />
    public virtual Dictionary<string, float[]> Join(
        double[] scale,
        float[] bias,
        float[]? gamma,
        Func<string, float[]> statistics) => Restore(scale, bias, statistics);

    /// <summary>
    /// The factor of the kernel's filters and the bias, [out] each, of the folded form of a part of a weighted sum of split layers, where
    /// the sum's statistics normalise: the folded parts add up to the folded sum.
    /// </summary>
    /// <param name="bias">The part's bias.</param>
    /// <param name="gamma">The part's γ: its own, or the kernel of a lone batch norm.</param>
    /// <param name="sumGamma">The sum's.</param>
    /// <param name="statistics">Gives the sum's mean and variance.</param>
    public virtual (double[] Scale, double[] Shift) FoldPart(
        float[] bias,
        float[] gamma,
        float[] sumGamma,
        Func<string, float[]> statistics) => throw new NotSupportedException($"The layer {Name} has no batch norm.");

    /// <summary>
    /// The factor that gives a filter of a folded kernel a norm; 1 if it is or was all but zero. Batch norm divides the scale of a kernel
    /// in front of it out again, but not its effect on training.
    /// </summary>
    public static double ScaleTo(float norm, ReadOnlySpan<float> filter)
    {
        var factor = norm / FilterArithmetic.Norm(filter);
        return factor is >= MinFactor and <= MaxFactor ? factor : 1;
    }

    /// <summary>What the layer's batch norm normalises.</summary>
    /// <param name="output">The folded output without its bias.</param>
    public abstract Tensor Normalised(Tensor input, Tensor output);

    /// <summary>
    /// The tensors that change, by name, where its input becomes x and was ax + b in each channel (<see cref="InputAdaptation"/>); float64.
    /// </summary>
    /// <param name="factor">a, [in], float64.</param>
    /// <param name="offset">b, [in], float64.</param>
    /// <exception cref="NotSupportedException">It has nowhere to take b to, without a batch norm.</exception>
    public virtual IReadOnlyDictionary<string, Tensor> AdaptInput(StateDict model, Tensor factor, Tensor offset) =>
        throw new NotSupportedException($"The layer {Name} can't be adapted to another input.");

    /// <summary>Adds the tensors that training from scratch starts with: kernels drawn at random, batch norm the identity.</summary>
    public abstract void Initialise(StateDict model, RandomStream random);

    /// <summary>The name of the Euclidean norms of each filter's kernel, [out], before folding.</summary>
    public string Norms => "norm." + Name;

    /// <summary>Whether a batch norm stands behind its kernel, so that the scale of the kernel has no effect.</summary>
    public bool HasNorms => Norm is not null && Weight is not null;

    /// <summary>A kernel of normal numbers.</summary>
    private protected Tensor DrawNormal(RandomStream random, double deviation)
    {
        var values = new float[Shape.Aggregate((a, b) => a * b)];
        for (var i = 0; i < values.Length; i++) values[i] = (float)(deviation * random.NextNormal());
        return tensor(values).view(Shape);
    }

    private protected static IEnumerable<(string Name, long[] Shape)> TensorsOf(BatchNorm? norm) => norm is null
        ? []
        : new[] { norm.Scale, norm.Shift, norm.Mean, norm.Variance }.Select(name => (name, new long[] { norm.Channels }));
}
