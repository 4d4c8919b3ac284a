using MedMerge.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>
/// All sources' kernels, each layer a stack [out, sources, values of a filter]. Where the stacks fit the limit they are on the device.
/// Where they don't, one layer at a time is there, for as long as something is computed with it: the same numbers from the same
/// arithmetic, paid for in transfers. Device thread only.
/// </summary>
internal sealed class KernelStacks : IDisposable
{
    private readonly Device _device;
    private readonly ScalarType _type;
    private readonly Tensor[]? _onDevice;
    private readonly Tensor[]? _onHost;

    /// <summary>The sources' own kernels, by layer: with the host as device, a stack kept there would save nothing.</summary>
    private readonly Tensor[][]? _parts;

    /// <param name="limit">In bytes; null for none.</param>
    public KernelStacks(
        Architecture architecture,
        IReadOnlyList<PreparedSource> sources,
        Device device,
        ScalarType type,
        long? limit)
    {
        _device = device;
        _type = type;
        using var scope = NewDisposeScope();
        var layers = architecture.Layers.Select(layer => sources.Select(source => source.Kernel(layer)).ToArray());
        var all = sources.Sum(source => architecture.Layers.Sum(layer => Bytes(source.Kernel(layer))));
        if (limit is null || all <= limit)
        {
            _onDevice = [.. layers.Select(kernels => Stack(kernels).to(device).DetachFromDisposeScope())];
            PeakBytes = all;
        }
        else if (device.type != DeviceType.CPU)
        {
            _onHost = [.. layers.Select(kernels => Stack(kernels).DetachFromDisposeScope())];
        }
        else
        {
            _parts = [.. layers.Select(kernels => kernels.Select(kernel => kernel.alias().DetachFromDisposeScope()).ToArray())];
        }
    }

    /// <summary>The most bytes of stacks that were on the device at one time.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>Computes a tensor with a layer's stack, which may be freed afterwards: the result must not be a view of it.</summary>
    public Tensor With(int layer, Func<Tensor, Tensor> compute)
    {
        if (_onDevice is not null) return compute(_onDevice[layer]);
        using var scope = NewDisposeScope();
        var onDevice = _onHost is not null ? _onHost[layer].to(_device) : Stack(_parts![layer]);
        PeakBytes = Math.Max(PeakBytes, Bytes(onDevice));
        return compute(onDevice).MoveToOuterDisposeScope();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        var held = (_onDevice ?? _onHost)?.AsEnumerable() ?? _parts!.SelectMany(kernels => kernels);
        foreach (var tensor in held) tensor.Dispose();
    }

    private Tensor Stack(Tensor[] kernels) =>
        stack(kernels.Select(kernel => kernel.reshape(kernel.shape[0], -1)), 1).to(_type).contiguous();

    private long Bytes(Tensor tensor) => tensor.numel() * (_type == ScalarType.Float64 ? sizeof(double) : sizeof(float));
}
