using MedMerge.Storage;

namespace MedMerge.ClusterBenchmarks;

/// <summary>Counts what is written to a store, for sweeps' records and for the rest.</summary>
internal sealed class CountingStore(IObjectStore inner) : IObjectStore
{
    private long _records;
    private long _recordBytes;
    private long _others;
    private long _otherBytes;

    /// <summary>Writes and bytes, of records, then of all else.</summary>
    public string Counts
    {
        get
        {
            var records = $"{Interlocked.Read(ref _records)} {Interlocked.Read(ref _recordBytes)}";
            return $"{records} {Interlocked.Read(ref _others)} {Interlocked.Read(ref _otherBytes)}";
        }
    }

    public Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation) => inner.ReadAsync(name, cancellation);

    public Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation) =>
        inner.GetPropertiesAsync(name, cancellation);

    public Task WriteAsync(string name, Stream content, CancellationToken cancellation)
    {
        Count(name, content.Length);
        return inner.WriteAsync(name, content, cancellation);
    }

    public Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        Count(name, content.Length);
        return inner.TryCreateAsync(name, content, cancellation);
    }

    public Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation)
    {
        Count(name, content.Length);
        return inner.TryReplaceAsync(name, content, etag, cancellation);
    }

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellation) => inner.ListAsync(prefix, cancellation);

    public Task DeleteAsync(string name, CancellationToken cancellation) => inner.DeleteAsync(name, cancellation);

    public Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation) => inner.TryDeleteAsync(listed, cancellation);

    private void Count(string name, long bytes)
    {
        var isRecord = name.StartsWith(SweepStore.Prefix, StringComparison.Ordinal)
            || name.StartsWith(SweepStore.SegmentPrefix, StringComparison.Ordinal);
        Interlocked.Increment(ref isRecord ? ref _records : ref _others);
        Interlocked.Add(ref isRecord ? ref _recordBytes : ref _otherBytes, bytes);
    }
}
