using MedMerge.Storage;

namespace MedMerge.Grains.Tests.Schedules;

/// <summary>A node was killed.</summary>
internal sealed class KilledException : Exception;

/// <summary>
/// Runs the store's calls of several nodes one at a time in an order of chance. A node that is killed makes no call any more: the one that
/// it waits for, or has just made, is its last.
/// </summary>
internal sealed class Interleaving(Random random)
{
    private readonly List<TaskCompletionSource> _waiting = [];

    /// <summary>Runs nodes until each has ended or was killed.</summary>
    /// <returns>How many were killed.</returns>
    public async Task<int> RunAsync(IEnumerable<Func<Task>> nodes)
    {
        var running = nodes.Select(node => IsKilledAsync(node)).ToList();
        while (_waiting.Count > 0)
        {
            var next = random.Next(_waiting.Count);
            var call = _waiting[next];
            _waiting.RemoveAt(next);
            call.SetResult(); // runs the node until its next call
        }
        return (await Task.WhenAll(running)).Count(isKilled => isKilled);
    }

    /// <summary>Waits for the turn of a call.</summary>
    public Task NextAsync()
    {
        var call = new TaskCompletionSource();
        _waiting.Add(call);
        return call.Task;
    }

    private static async Task<bool> IsKilledAsync(Func<Task> node)
    {
        try
        {
            await node();
            return false;
        }
        catch (KilledException)
        {
            return true; // the next node finds what it has left
        }
    }
}

/// <summary>The store as a node sees it that may be killed at one of its calls.</summary>
/// <param name="killAt">The node's last call, from 0; negative for none.</param>
/// <param name="isAfter">Whether it dies after this call instead of before it.</param>
internal sealed class InterleavedStore(IObjectStore inner, Interleaving interleaving, int killAt, bool isAfter) : IObjectStore
{
    private int _calls;

    public Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation) =>
        CallAsync(() => inner.ReadAsync(name, cancellation));

    public Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation) =>
        CallAsync(() => inner.GetPropertiesAsync(name, cancellation));

    public Task WriteAsync(string name, Stream content, CancellationToken cancellation) => throw new NotSupportedException();

    public Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        CallAsync(() => inner.TryCreateAsync(name, content, cancellation));

    public Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation) =>
        CallAsync(() => inner.TryReplaceAsync(name, content, etag, cancellation));

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellation) => inner.ListAsync(prefix, cancellation);

    public Task DeleteAsync(string name, CancellationToken cancellation) => CallAsync(async () =>
    {
        await inner.DeleteAsync(name, cancellation);
        return true;
    });

    public Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation) => throw new NotSupportedException();

    private async Task<T> CallAsync<T>(Func<Task<T>> call)
    {
        if (killAt >= 0 && _calls > killAt) throw new KilledException();
        await interleaving.NextAsync();
        var isLast = _calls++ == killAt;
        if (isLast && !isAfter) throw new KilledException();
        var answer = await call();
        return isLast ? throw new KilledException() : answer;
    }
}
