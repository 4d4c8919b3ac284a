using MedMerge.Models;
using MedMerge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>
/// All sources' kernels on one device, stacked by filter, so that folding a layer and the gradient of its α are one batched product each:
/// the cost of a step hardly grows with the number of sources. Device thread only.
/// </summary>
public sealed class SourceStack : IDisposable
{
    private readonly Architecture _architecture;
    private readonly Device _device;
    private readonly ScalarType _type;
    private readonly Tensor[] _kernels; // [out, sources, in·k·k]
    private readonly Tensor[] _biases;  // [out, sources]

    /// <param name="type">float32, or float64 in tests of the numerics.</param>
    public SourceStack(Architecture architecture, IReadOnlyList<PreparedSource> sources, Device device, ScalarType type = ScalarType.Float32)
    {
        (_architecture, _device, _type, Sources) = (architecture, device, type, sources.Count);
        using var scope = NewDisposeScope();
        Tensor Keep(IEnumerable<Tensor> tensors) => stack(tensors, 1).to(type).to(device).contiguous().DetachFromDisposeScope();
        _kernels = [.. architecture.Layers.Select(layer => Keep(sources.Select(source => source.Kernel(layer).flatten(1))))];
        _biases = [.. architecture.Layers.Select(layer => Keep(sources.Select(source => source.Bias(layer))))];
    }

    /// <summary>The number of sources.</summary>
    public int Sources { get; }

    /// <summary>Layer by layer α as [out, sources], from α as [sources × filters].</summary>
    public Tensor[] Split(double[] alpha)
    {
        using var all = tensor(alpha, device: _device).view(Sources, _architecture.Filters).t().to(_type).contiguous();
        return all.split([.. _architecture.Layers.Select(layer => (long)layer.Out)], 0);
    }

    /// <summary>Layer by layer K = Σᵢ αᵢKᵢ and b = Σᵢ αᵢbᵢ.</summary>
    public (Tensor[] Kernels, Tensor[] Biases) Fold(IReadOnlyList<Tensor> alpha)
    {
        var kernels = _kernels.Select((stack, l) => bmm(alpha[l].unsqueeze(1), stack).view(_architecture.Layers[l].Shape)).ToArray();
        var biases = _biases.Select((stack, l) => (alpha[l] * stack).sum(1)).ToArray();
        return (kernels, biases);
    }

    /// <summary>
    /// ∂L/∂αᵢ(l,c) = ⟨∂L/∂K(l,c), Kᵢ(l,c)⟩ + ∂L/∂b(l,c)·bᵢ(l,c), as [sources × filters], from the folded network's gradients.
    /// </summary>
    public double[] AlphaGradient(IReadOnlyList<Tensor> kernelGradients, IReadOnlyList<Tensor> biasGradients)
    {
        using var scope = NewDisposeScope();
        var layers = _kernels.Select((stack, l) =>
            bmm(stack, kernelGradients[l].flatten(1).unsqueeze(2)).squeeze(2).Plus(_biases[l] * biasGradients[l].unsqueeze(1)));
        return cat([.. layers], 0).t().to(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
    }

    /// <summary>
    /// The method as written, one feature map a source: Σᵢ αᵢ(Kᵢ ∗ x + bᵢ). For the certificate, the tests and the benchmark; learning
    /// never computes it.
    /// </summary>
    public Tensor WeightedFeatures(int layer, Tensor input, Tensor alpha)
    {
        var shape = _architecture.Layers[layer];
        Tensor? sum = null;
        for (var i = 0; i < Sources; i++)
        {
            var features = FoldedNetwork.Convolve(shape, input, _kernels[layer].select(1, i).view(shape.Shape), _biases[layer].select(1, i));
            var weighted = alpha.select(1, i).view(1, -1, 1, 1) * features;
            sum = sum is null ? weighted : sum.Plus(weighted);
        }
        return sum!;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var tensor in _kernels.Concat(_biases)) tensor.Dispose();
    }
}
