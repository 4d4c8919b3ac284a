using System.Globalization;
using System.Runtime.CompilerServices;
using MedMerge.Storage;

namespace MedMerge.Testing;

/// <summary>An object store in memory, for tests of very many writes.</summary>
public sealed class MemoryObjectStore(TimeProvider time) : IObjectStore
{
    private static readonly IComparer<string> Order = StringComparer.Ordinal;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, StoredObject> _objects = [];
    private readonly SortedSet<string> _names = new(Order);
    private long _writes;

    /// <summary>Called after every write, with the object's name and content.</summary>
    public Action<string, ReadOnlyMemory<byte>> Written { get; set; } = (_, _) => { };

    public Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation)
    {
        lock (_gate) return Task.FromResult(_objects.GetValueOrDefault(ObjectName.Checked(name)));
    }

    public async Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation) =>
        await ReadAsync(name, cancellation) is { } found ? new ObjectProperties(found.Content.Length) : null;

    public async Task WriteAsync(string name, Stream content, CancellationToken cancellation)
    {
        using var copy = new MemoryStream();
        content.Position = 0;
        await content.CopyToAsync(copy, cancellation);
        await WriteAsync(name, copy.ToArray(), _ => true);
    }

    public Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        WriteAsync(name, content, current => current is null);

    public Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation) =>
        WriteAsync(name, content, current => current?.ETag == etag);

    public async IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        List<ObjectInfo> found;
        lock (_gate)
        {
            var names = _names.GetViewBetween(prefix, prefix + char.MaxValue);
            found = [.. names.Select(Describe)];
        }
        foreach (var item in found) yield return await ValueTask.FromResult(item);
    }

    private ObjectInfo Describe(string name) =>
        new(name, _objects[name].Modified!.Value) { Length = _objects[name].Content.Length };

    public Task DeleteAsync(string name, CancellationToken cancellation)
    {
        lock (_gate) Remove(ObjectName.Checked(name));
        return Task.CompletedTask;
    }

    public Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (_objects.TryGetValue(listed.Name, out var current) && current.Modified > listed.Modified) return Task.FromResult(false);
            Remove(listed.Name);
            return Task.FromResult(true);
        }
    }

    private Task<string?> WriteAsync(string name, ReadOnlyMemory<byte> content, Predicate<StoredObject?> mayWrite)
    {
        lock (_gate)
        {
            if (!mayWrite(_objects.GetValueOrDefault(ObjectName.Checked(name)))) return Task.FromResult<string?>(null);
            var etag = (++_writes).ToString(CultureInfo.InvariantCulture);
            _objects[name] = new StoredObject(content.ToArray(), etag) { Modified = time.GetUtcNow() };
            _names.Add(name);
            Written(name, content);
            return Task.FromResult<string?>(etag);
        }
    }

    private void Remove(string name)
    {
        _objects.Remove(name);
        _names.Remove(name);
    }
}
