namespace MedMerge.Storage.Benchmarks;

/// <summary>
/// Lets one node at a time work on a benchmark, so that not every node computes the same. Nothing depends on it: a node whose lease has
/// expired meanwhile does harmless work twice.
/// </summary>
internal sealed class BenchmarkLease(IObjectStore objects, TimeProvider time)
{
    private const string Prefix = "benchmarks/leases/";
    private const string Kind = "benchmark-lease";
    private static readonly TimeSpan Duration = TimeSpan.FromMinutes(10);

    /// <summary>Takes the lease.</summary>
    /// <returns>Whether it was free, or had expired because its node died.</returns>
    public async Task<bool> TryTakeAsync(string benchmark, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var content = Manifest.Write(Kind, Guid.NewGuid().ToString("N"), new Lease(now + Duration));
        var (lease, etag) =
            await Manifest.ReadAsync<Lease>(objects, Prefix + benchmark, Kind, cancellation).ConfigureAwait(false);
        if (etag is null)
            return await objects.TryCreateAsync(Prefix + benchmark, content, cancellation).ConfigureAwait(false) is not null;
        if (lease?.Until > now) return false;
        return await objects.TryReplaceAsync(Prefix + benchmark, content, etag, cancellation).ConfigureAwait(false) is not null;
    }

    /// <summary>Gives it back.</summary>
    public Task ReleaseAsync(string benchmark, CancellationToken cancellation) => objects.DeleteAsync(Prefix + benchmark, cancellation);

    private sealed record Lease(DateTimeOffset Until);
}
