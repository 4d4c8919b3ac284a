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
    private readonly Tensor _biases; // [filters, sources]
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
        _biases = cat([.. architecture.Layers.Select(layer => stack(sources.Select(source => source.Bias(layer)), 1))], 0)
            .to(type).to(device).contiguous().DetachFromDisposeScope();
    }

    /// <summary>The number of sources.</summary>
    public int Sources { get; }

    /// <summary>The most bytes of stacked kernels that were on the device at one time.</summary>
    internal long PeakBytes => _kernels.PeakBytes;

    /// <summary>α on the device, one tensor [out, sources] a layer.</summary>
    public Tensor[] Split(KernelWeightMatrix alpha) => Split(Transfers.ToDevice(alpha.Values, _device).to(_type));

    /// <inheritdoc cref="Split(KernelWeightMatrix)" />
    /// <param name="alpha">Its values in the matrix' order, on the device.</param>
    public Tensor[] Split(Tensor alpha) => alpha.view(Sources, _architecture.Filters).t().contiguous().split(_outs, 0);

    /// <summary>Layer by layer K = Σᵢ αᵢKᵢ and b = Σᵢ αᵢbᵢ.</summary>
    /// <param name="alpha">As <see cref="Split(KernelWeightMatrix)"/> gives it.</param>
    public FoldedNetwork Fold(IReadOnlyList<Tensor> alpha)
    {
        Tensor[] kernels = [.. _architecture.Layers.Select((layer, l) =>
            _kernels.With(l, stack => bmm(alpha[l].unsqueeze(1), stack).view(layer.Shape)))];
        var biases = (cat([.. alpha], 0) * _biases).sum(1);
        return new FoldedNetwork(_architecture, kernels, biases.split(_outs, 0));
    }

    /// <summary>
    /// ∂L/∂αᵢ(l,c) = ⟨∂L/∂K(l,c), Kᵢ(l,c)⟩ + ∂L/∂b(l,c)·bᵢ(l,c), from the folded network's gradients.
    /// </summary>
    /// <returns>[sources, filters], on the device.</returns>
    public Tensor AlphaGradient(IReadOnlyList<Tensor> kernelGradients, IReadOnlyList<Tensor> biasGradients)
    {
        using var scope = NewDisposeScope();
        var ofKernels = kernelGradients.Select((gradient, l) =>
            _kernels.With(l, stack => bmm(stack, gradient.reshape(_outs[l], -1, 1)).squeeze(2)));
        var ofBiases = _biases * cat([.. biasGradients], 0).unsqueeze(1);
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
    }

    private Tensor WeightedFeatures(int index, Tensor stack, Tensor input, Tensor alpha)
    {
        var layer = _architecture.Layers[index];
        var biases = _biases.narrow(0, _outs[..index].Sum(), layer.Out);
        Tensor? sum = null;
        for (var i = 0; i < Sources; i++)
        {
            var features = layer.Apply(input, stack.select(1, i).view(layer.Shape), biases.select(1, i));
            var weighted = alpha.select(1, i).view(1, -1, 1, 1) * features;
            sum = sum is null ? weighted : sum.Plus(weighted);
        }
        return sum!;
    }
}
