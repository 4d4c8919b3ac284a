using MedMerge.Storage;

namespace MedMerge.Testing;

/// <summary>A point of a store's calls at which they wait, or fail.</summary>
/// <param name="Call"><c>read</c>, <c>create</c>, <c>write</c>, <c>replace</c> or <c>delete</c>, and the object's name.</param>
public sealed record StorePoint(string Call)
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes once a call is there.</summary>
    public Task Reached => _reached.Task;

    /// <summary>Lets the call go on.</summary>
    public void Release() => _left.TrySetResult();

    /// <summary>Lets the call fail before anything has happened.</summary>
    public void Fail(Exception error) => _left.TrySetException(error);

    internal Task WaitAsync()
    {
        _reached.TrySetResult();
        return _left.Task;
    }
}

/// <summary>An object store whose calls stop at named points, once each.</summary>
public sealed class PausingObjectStore(IObjectStore inner) : IObjectStore
{
    private readonly Lock _gate = new();
    private readonly List<StorePoint> _points = [];

    /// <summary>The next such call stops.</summary>
    /// <param name="call">As <see cref="StorePoint.Call"/>.</param>
    public StorePoint StopAt(string call)
    {
        var point = new StorePoint(call);
        lock (_gate) _points.Add(point);
        return point;
    }

    public async Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation)
    {
        await PassAsync($"read {name}");
        return await inner.ReadAsync(name, cancellation);
    }

    public async Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        await PassAsync($"create {name}");
        return await inner.TryCreateAsync(name, content, cancellation);
    }

    public Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation) =>
        inner.GetPropertiesAsync(name, cancellation);

    public async Task WriteAsync(string name, Stream content, CancellationToken cancellation)
    {
        await PassAsync($"write {name}");
        await inner.WriteAsync(name, content, cancellation);
    }

    public async Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation)
    {
        await PassAsync($"replace {name}");
        return await inner.TryReplaceAsync(name, content, etag, cancellation);
    }

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellation) => inner.ListAsync(prefix, cancellation);

    public async Task DeleteAsync(string name, CancellationToken cancellation)
    {
        await PassAsync($"delete {name}");
        await inner.DeleteAsync(name, cancellation);
    }

    public async Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation)
    {
        await PassAsync($"delete {listed.Name}");
        return await inner.TryDeleteAsync(listed, cancellation);
    }

    private Task PassAsync(string call)
    {
        lock (_gate)
        {
            if (_points.Find(point => point.Call == call) is not { } point) return Task.CompletedTask;
            _points.Remove(point);
            return point.WaitAsync();
        }
    }
}
