using System.Collections.Concurrent;
using MedMerge.Tensors;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Nodes;

/// <summary>The node's device thread, one for each number of threads that specifications ask for: libtorch's sums depend on it.</summary>
public sealed class Devices(IOptions<NodeOptions> options) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, Lazy<DeviceThread>> _threads = new();

    /// <summary>The thread to compute on.</summary>
    public DeviceThread With(int threads) => _threads.GetOrAdd(threads, _ => new Lazy<DeviceThread>(() => new DeviceThread(options.Value.Device, threads))).Value;

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var thread in _threads.Values.Where(thread => thread.IsValueCreated)) await thread.Value.DisposeAsync().ConfigureAwait(false);
    }
}
