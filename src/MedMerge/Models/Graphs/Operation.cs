using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models.Graphs;

/// <summary>What a node of a network computes from its inputs, [batch, channels, height, width] each.</summary>
internal abstract record Operation;

/// <summary>One of the architecture's layers, the only operations with parameters.</summary>
/// <param name="Index">Into <see cref="Architecture.Layers"/>.</param>
internal sealed record LayerOperation(int Index) : Operation;

/// <summary>An operation without parameters.</summary>
internal abstract record PlainOperation : Operation
{
    /// <summary>Whether it can write its output over its first input.</summary>
    public virtual bool CanOverwrite => false;

    /// <summary>Its output: a tensor of its own, or the first input if that is overwritten.</summary>
    /// <param name="overwrite">Whether to write it over the first input; only if <see cref="CanOverwrite"/>.</param>
    public abstract Tensor Apply(IReadOnlyList<Tensor> inputs, bool overwrite);
}

/// <summary>max(x, 0), and at most <paramref name="Limit"/> if that is given.</summary>
internal sealed record Relu(double? Limit = null) : PlainOperation
{
    private const double Six = 6; // the only limit that networks here have

    /// <inheritdoc />
    public override bool CanOverwrite => true;

    /// <inheritdoc />
    public override Tensor Apply(IReadOnlyList<Tensor> inputs, bool overwrite) => Limit switch
    {
        null => nn.functional.relu(inputs[0], inplace: overwrite),
        Six => nn.functional.relu6(inputs[0], inplace: overwrite),
        _ => throw new NotSupportedException($"A ReLU with the limit {Limit} is not known."),
    };
}

/// <summary>x + y.</summary>
internal sealed record Add : PlainOperation
{
    /// <inheritdoc />
    public override bool CanOverwrite => true;

    /// <inheritdoc />
    public override Tensor Apply(IReadOnlyList<Tensor> inputs, bool overwrite) =>
        overwrite ? inputs[0].Add(inputs[1]) : inputs[0].Plus(inputs[1]);
}

/// <summary>The channels of all inputs, one behind the other.</summary>
internal sealed record Concatenation : PlainOperation
{
    /// <inheritdoc />
    public override Tensor Apply(IReadOnlyList<Tensor> inputs, bool overwrite) => cat([.. inputs], 1);
}

/// <summary>The largest of each square of pixels.</summary>
internal sealed record MaxPool(int Side, int Stride, int Padding) : PlainOperation
{
    /// <inheritdoc />
    public override Tensor Apply(IReadOnlyList<Tensor> inputs, bool overwrite) =>
        nn.functional.max_pool2d(inputs[0], Side, Stride, Padding);
}

/// <summary>The mean of each square of pixels, without overlap.</summary>
internal sealed record AveragePool(int Side) : PlainOperation
{
    /// <inheritdoc />
    public override Tensor Apply(IReadOnlyList<Tensor> inputs, bool overwrite) => nn.functional.avg_pool2d(inputs[0], Side);
}

/// <summary>
/// Means over parts of the image, <paramref name="Side"/> rows and columns of them, whatever the image's size: part i goes from ⌊i·n/side⌋
/// to ⌈(i+1)·n/side⌉. libtorch's own adds its gradient up in no fixed order on a GPU.
/// </summary>
internal sealed record AdaptiveAveragePool(int Side) : PlainOperation
{
    /// <inheritdoc />
    public override Tensor Apply(IReadOnlyList<Tensor> inputs, bool overwrite) => Pool(Pool(inputs[0], dimension: 2), dimension: 3);

    /// <summary>Where the i-th part of so many pixels starts, and where the pixels behind it do.</summary>
    public static (int Start, int End) FindPart(int i, int side, int size) => (i * size / side, (((i + 1) * size) + side - 1) / side);

    private Tensor Pool(Tensor x, int dimension)
    {
        var size = (int)x.shape[dimension];
        if (size == Side) return x.alias();
        var parts = Enumerable.Range(0, Side).Select(i =>
        {
            var (start, end) = FindPart(i, Side, size);
            return x.narrow(dimension, start, end - start).mean([dimension]);
        });
        return stack(parts, dimension);
    }
}

/// <summary>The mean over all pixels, [batch, channels].</summary>
internal sealed record GlobalAveragePool : PlainOperation
{
    /// <inheritdoc />
    public override Tensor Apply(IReadOnlyList<Tensor> inputs, bool overwrite) => inputs[0].mean([2L, 3L]);
}

/// <summary>An image of one pixel as a row, [batch, channels].</summary>
internal sealed record Flatten : PlainOperation
{
    /// <inheritdoc />
    public override Tensor Apply(IReadOnlyList<Tensor> inputs, bool overwrite) => inputs[0].flatten(1);
}

/// <summary>
/// The shortcut without parameters of He et al. 2015 (option A): every <paramref name="Stride"/>-th pixel, with channels of zeros before
/// and behind.
/// </summary>
internal sealed record PaddedShortcut(int Stride, int Before, int Behind) : PlainOperation
{
    /// <inheritdoc />
    public override Tensor Apply(IReadOnlyList<Tensor> inputs, bool overwrite)
    {
        var pixels = TensorIndex.Slice(step: Stride);
        var sampled = inputs[0][TensorIndex.Colon, TensorIndex.Colon, pixels, pixels];
        return nn.functional.pad(sampled, [0, 0, 0, 0, Before, Behind]);
    }
}
