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

    /// <summary>The folded form, float64, that computes what <paramref name="model"/> computes in evaluation mode.</summary>
    public abstract (Tensor Kernel, Tensor Bias) Prepare(StateDict model);

    /// <summary>
    /// The split form, float64: without a batch norm the folded one. The scale is null where no batch norm is behind a kernel; a lone
    /// batch norm's γ is its kernel.
    /// </summary>
    public virtual (Tensor Kernel, Tensor Bias, Tensor? Scale) Split(StateDict model)
    {
        var (kernel, bias) = Prepare(model);
        return (kernel, bias, null);
    }

    /// <summary>Whether the split form has a scale.</summary>
    public virtual bool HasScale => false;

    /// <summary>The split form's output.</summary>
    public virtual Tensor ApplySplit(Tensor input, Tensor kernel, Tensor bias, Tensor? scale) => Apply(input, kernel, bias);

    /// <summary>
    /// The folded form, float64, of a part of a weighted sum of split layers, normalised by the statistics of that sum: the folded parts
    /// add up to the folded sum.
    /// </summary>
    /// <param name="scale">The part's γ.</param>
    /// <param name="sumScale">The sum's.</param>
    /// <param name="statistics">The sum's.</param>
    public virtual (Tensor Kernel, Tensor Bias) FoldPart(
        Tensor kernel,
        Tensor bias,
        Tensor? scale,
        Tensor? sumScale,
        StateDict statistics) => (kernel, bias);

    /// <summary>Adds the form with batch norm that has the split form's tensors (all float32).</summary>
    /// <param name="statistics">As <see cref="Restore"/> takes it.</param>
    public virtual void Join(StateDict model, Tensor kernel, Tensor bias, Tensor? scale, StateDict statistics) =>
        Restore(model, kernel, bias, statistics);

    /// <summary>Adds the form with batch norm that computes what a kernel and a bias (both float32) compute.</summary>
    /// <param name="statistics">
    /// Has the batch norm's mean and variance: those of <see cref="Normalised"/> over the target. If it has <see cref="Norms"/> too, the
    /// kernels are scaled to them: batch norm divides their scale out again, but not its effect on training.
    /// </param>
    public abstract void Restore(StateDict model, Tensor kernel, Tensor bias, StateDict statistics);

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

    /// <summary>The norms of the kernels in front of a batch norm, [out], float32; null where there are none.</summary>
    public virtual Tensor? MeasureNorms(StateDict model) => null;

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
