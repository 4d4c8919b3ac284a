using MedMerge.Models;
using MedMerge.Models.Layers;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>
/// All sources' kernels for one device, stacked by filter, so that folding a layer and the gradient of its α are one batched product each:
/// the cost of a step hardly grows with the number of sources. Device thread only.
/// </summary>
internal sealed class SourceStack : IDisposable
{
    private readonly Architecture _architecture;
    private readonly Device _device;
    private readonly ScalarType _type;
    private readonly KernelStacks _kernels;
    private readonly Tensor _biases;  // [filters, sources]
    private readonly Tensor? _scales; // the same, zero for filters that have none; null where batch norms are folded
    private readonly long[] _outs;   // filters of each layer

    /// <param name="type">float32, or float64 in tests of the numerics.</param>
    /// <param name="memoryLimit">
    /// Kernels that take more bytes of the device's memory than this are brought there layer by layer; null for no limit.
    /// </param>
    public SourceStack(
        Architecture architecture,
        IReadOnlyList<PreparedSource> sources,
        Device device,
        ScalarType type = ScalarType.Float32,
        long? memoryLimit = null)
    {
        _architecture = architecture;
        _device = device;
        _type = type;
        Sources = sources.Count;
        using var scope = NewDisposeScope();
        _kernels = new KernelStacks(architecture, sources, device, type, memoryLimit);
        _outs = [.. architecture.Layers.Select(layer => (long)layer.Out)];
        _biases = Stack((source, layer) => source.Bias(layer));
        if (sources[0].BatchNorm(architecture) == BatchNormPolicy.Mix)
            _scales = Stack((source, layer) => source.Scale(layer) ?? zeros(layer.Out));

        Tensor Stack(Func<PreparedSource, Layer, Tensor> part) =>
            cat([.. architecture.Layers.Select(layer => stack(sources.Select(source => part(source, layer)), 1))], 0)
                .to(type).to(device).contiguous().DetachFromDisposeScope();
    }

    /// <summary>The number of sources.</summary>
    public int Sources { get; }

    /// <summary>The most bytes of stacked kernels that were on the device at one time.</summary>
    internal long PeakBytes => _kernels.PeakBytes;

    /// <summary>α on the device, one tensor a layer: [out, sources], or [2D kernels, sources].</summary>
    public Tensor[] Split(KernelWeightMatrix alpha) => Split(Transfers.ToDevice(alpha.Values, _device).to(_type));

    /// <inheritdoc cref="Split(KernelWeightMatrix)" />
    /// <param name="alpha">Its values in the matrix' order, on the device.</param>
    public Tensor[] Split(Tensor alpha)
    {
        var layout = KernelWeightLayout.Of(_architecture, (int)(alpha.numel() / Sources));
        var lengths = Enumerable.Range(0, _outs.Length).Select(layer => (long)layout.Length(layer)).ToArray();
        return alpha.view(Sources, layout.Count).t().contiguous().split(lengths, 0);
    }

    /// <summary>Layer by layer K = Σᵢ αᵢKᵢ and b = Σᵢ αᵢbᵢ, and γ = Σᵢ αᵢγᵢ where batch norms are mixed.</summary>
    /// <param name="alpha">As <see cref="Split(KernelWeightMatrix)"/> gives it.</param>
    public WeighedNetwork Fold(IReadOnlyList<Tensor> alpha)
    {
        Tensor[] kernels = [.. _architecture.Layers.Select((layer, l) =>
            _kernels.With(l, stack => Fold(stack, alpha[l], layer.Out).view(layer.Shape)))];
        var byFilter = cat([.. alpha.Select((weights, l) => ByFilter(weights, _outs[l]))], 0);
        Tensor[] Weigh(Tensor ofSources) => (byFilter * ofSources).sum(1).split(_outs, 0);
        if (_scales is null) return new FoldedNetwork(_architecture, kernels, Weigh(_biases));
        var scales = Weigh(_scales).Zip(_architecture.Layers, (scale, layer) => layer.HasNorms ? scale : null);
        return new MixedNetwork(_architecture, kernels, Weigh(_biases), [.. scales]);
    }

    /// <summary>
    /// ∂L/∂αᵢ(l,c) = ⟨∂L/∂K(l,c), Kᵢ(l,c)⟩ + ∂L/∂b(l,c)·bᵢ(l,c), from the folded network's gradients, and ∂L/∂γ(l,c)·γᵢ(l,c) more where
    /// batch norms are mixed; of a 2D kernel its own product, and its part of the bias's and the scale's.
    /// </summary>
    /// <param name="gradients">Of the network's <see cref="WeighedNetwork.Parameters"/>.</param>
    /// <param name="layout">What has a weight.</param>
    /// <returns>[sources, weights of one], on the device.</returns>
    public Tensor AlphaGradient(IReadOnlyList<Tensor> gradients, KernelWeightLayout layout)
    {
        using var scope = NewDisposeScope();
        var layers = _outs.Length;
        var ofKernels = gradients.Take(layers).Select((gradient, l) =>
            _kernels.With(l, stack => Products(stack, gradient, _outs[l], layout.Parts(l))));
        var ofBiases = _biases * cat([.. gradients.Skip(layers).Take(layers)], 0).unsqueeze(1);
        if (_scales is not null)
            ofBiases = ofBiases.Plus(_scales * Spread(new Queue<Tensor>(gradients.Skip(2 * layers))).unsqueeze(1));
        if (layout.IsPerKernel)
        {
            var byLayer = ofBiases.split(_outs, 0);
            ofBiases = cat([.. byLayer.Select((part, l) => part.Over(layout.Parts(l)).repeat_interleave(layout.Parts(l), 0))], 0);
        }
        return cat([.. ofKernels], 0).Plus(ofBiases).t().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The method as written, one feature map a source: Σᵢ αᵢ(Kᵢ ∗ x + bᵢ). For the certificate, the tests and the benchmark; learning
    /// never computes it.
    /// </summary>
    /// <param name="alpha">The layer's, [out, sources].</param>
    public Tensor WeightedFeatures(int layer, Tensor input, Tensor alpha) =>
        _kernels.With(layer, stack => WeightedFeatures(layer, stack, input, alpha));

    /// <inheritdoc />
    public void Dispose()
    {
        _kernels.Dispose();
        _biases.Dispose();
        _scales?.Dispose();
    }

    /// <summary>From the layers that have a scale to all filters, [filters]; zero for the others.</summary>
    private Tensor Spread(Queue<Tensor> ofScaled) =>
        cat([.. _architecture.Layers.Select(layer => layer.HasNorms ? ofScaled.Dequeue() : _biases.new_zeros(layer.Out))], 0);

    /// <param name="stack">[out, sources, values of a filter].</param>
    /// <param name="alpha">[out, sources], or [2D kernels, sources].</param>
    /// <returns>[out, values of a filter].</returns>
    private Tensor Fold(Tensor stack, Tensor alpha, int filters)
    {
        if (alpha.shape[0] == filters) return bmm(alpha.unsqueeze(1), stack);
        var weights = alpha.view(filters, -1, Sources).transpose(1, 2).unsqueeze(3);
        return (ByKernel(stack, weights.shape[2]) * weights).sum(1);
    }

    /// <returns>[out, sources], or [2D kernels, sources].</returns>
    private Tensor Products(Tensor stack, Tensor gradient, long filters, int parts) => parts == 1
        ? bmm(stack, gradient.reshape(filters, -1, 1)).squeeze(2)
        : (ByKernel(stack, parts) * gradient.reshape(filters, 1, parts, -1)).sum(3).transpose(1, 2).reshape(-1, Sources);

    /// <summary>A convolution's kernel with each 2D kernel times its weight: convolving is linear in them one by one.</summary>
    private static Tensor WeighKernels(Tensor kernel, Tensor weights) => kernel * weights.view(kernel.shape[0], kernel.shape[1], 1, 1);

    /// <summary>[out, sources, 2D kernels of a filter, values of one].</summary>
    private Tensor ByKernel(Tensor stack, long parts) => stack.view(stack.shape[0], Sources, parts, -1);

    /// <summary>The weights of filters, [out, sources]: the mean over their kernels.</summary>
    private Tensor ByFilter(Tensor alpha, long filters) =>
        alpha.shape[0] == filters ? alpha : alpha.view(filters, -1, Sources).mean([1L]);

    private Tensor WeightedFeatures(int index, Tensor stack, Tensor input, Tensor alpha)
    {
        var layer = _architecture.Layers[index];
        var biases = _biases.narrow(0, _outs[..index].Sum(), layer.Out);
        Tensor? sum = null;
        for (var i = 0; i < Sources; i++)
        {
            var kernel = stack.select(1, i).view(layer.Shape);
            var weighted = alpha.shape[0] == layer.Out
                ? alpha.select(1, i).view(1, -1, 1, 1) * layer.Apply(input, kernel, biases.select(1, i))
                : layer.Apply(
                    input,
                    WeighKernels(kernel, alpha.select(1, i)),
                    ByFilter(alpha, layer.Out).select(1, i) * biases.select(1, i));
            sum = sum is null ? weighted : sum.Plus(weighted);
        }
        return sum!;
    }
}
