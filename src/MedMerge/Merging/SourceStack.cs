using MedMerge.Models;
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
    private readonly Tensor[] _biases;  // [out, sources]

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
        _biases =
        [
            .. architecture.Layers
                .Select(layer => stack(sources.Select(source => source.Bias(layer)), 1).to(type).to(device).contiguous())
                .Select(biases => biases.DetachFromDisposeScope()),
        ];
    }

    /// <summary>The number of sources.</summary>
    public int Sources { get; }

    /// <summary>The most bytes of stacked kernels that were on the device at one time.</summary>
    internal long PeakBytes => _kernels.PeakBytes;

    /// <summary>α on the device, one tensor [out, sources] a layer.</summary>
    public Tensor[] Split(KernelWeightMatrix alpha)
    {
        using var all = tensor(alpha.Values, device: _device).view(Sources, _architecture.Filters).t().to(_type).contiguous();
        return all.split([.. _architecture.Layers.Select(layer => (long)layer.Out)], 0);
    }

    /// <summary>Layer by layer K = Σᵢ αᵢKᵢ and b = Σᵢ αᵢbᵢ.</summary>
    /// <param name="alpha">As <see cref="Split"/> gives it.</param>
    public FoldedNetwork Fold(IReadOnlyList<Tensor> alpha)
    {
        Tensor[] kernels = [.. _architecture.Layers.Select((layer, l) =>
            _kernels.With(l, stack => bmm(alpha[l].unsqueeze(1), stack).view(layer.Shape)))];
        Tensor[] biases = [.. _biases.Select((stack, l) => (alpha[l] * stack).sum(1))];
        return new FoldedNetwork(_architecture, kernels, biases);
    }

    /// <summary>
    /// ∂L/∂αᵢ(l,c) = ⟨∂L/∂K(l,c), Kᵢ(l,c)⟩ + ∂L/∂b(l,c)·bᵢ(l,c), from the folded network's gradients.
    /// </summary>
    public KernelWeightMatrix AlphaGradient(IReadOnlyList<Tensor> kernelGradients, IReadOnlyList<Tensor> biasGradients)
    {
        using var scope = NewDisposeScope();
        var layers = _biases.Select((bias, l) =>
        {
            var kernelGradient = kernelGradients[l].reshape(bias.shape[0], -1, 1);
            return _kernels.With(l, stack => bmm(stack, kernelGradient).squeeze(2)).Plus(bias * biasGradients[l].unsqueeze(1));
        });
        var values = cat([.. layers], 0).t().to(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
        return new KernelWeightMatrix(_architecture, Sources, values);
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
        foreach (var tensor in _biases) tensor.Dispose();
    }

    private Tensor WeightedFeatures(int index, Tensor stack, Tensor input, Tensor alpha)
    {
        var layer = _architecture.Layers[index];
        Tensor? sum = null;
        for (var i = 0; i < Sources; i++)
        {
            var features = layer.Apply(input, stack.select(1, i).view(layer.Shape), _biases[index].select(1, i));
            var weighted = alpha.select(1, i).view(1, -1, 1, 1) * features;
            sum = sum is null ? weighted : sum.Plus(weighted);
        }
        return sum!;
    }
}
