using MedMerge.Tensors;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Nodes;

/// <summary>The node's one device thread, for specifications with different numbers of libtorch threads.</summary>
internal sealed class Devices(IOptions<NodeOptions> options) : IAsyncDisposable
{
    private readonly Lazy<DeviceThread> _device = new(() => new DeviceThread(options.Value.Device, 1));

    /// <summary>The thread to compute on.</summary>
    public DeviceThread ForThreads(int threads) => _device.Value.ForThreads(threads);

    /// <summary>
    /// How long the running work has made no progress; see <see cref="DeviceThread.TimeSinceProgress"/>.
    /// </summary>
    public TimeSpan TimeSinceProgress => _device.IsValueCreated ? _device.Value.TimeSinceProgress : TimeSpan.Zero;

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_device.IsValueCreated) await _device.Value.DisposeAsync().ConfigureAwait(false);
    }
}
